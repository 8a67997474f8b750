// Turns uploaded bytes into pictures that are safe to serve: they are decoded and encoded anew as WebP, upright, in
// sRGB, without EXIF (which tells where a photograph was taken). Only formats whose first bytes we know reach the
// decoder; SVG is a program and none of them. One picture at a time, because each may need a few hundred megabytes.
import { Busy } from '../../platform/problem.ts'
import { ImageRefused, MAX_BYTES, WIDTHS, type StoredFile } from './media.ts'

// A telephone's largest photograph has 48 megapixels. The frames of an animation count together.
const MAX_PIXELS = 50_000_000
const MAX_FRAMES = 200
// More than the widest screen; WebP itself ends at 16,383.
const MAX_EDGE = 4_096
// A picture takes a second or two: whoever comes behind these has a long wait, and is better told.
const WAITING_AT_MOST = 10

export type EncodedImage = { animated: boolean; files: (StoredFile & { data: Buffer })[] }

const signatures: Record<string, (bytes: Buffer) => boolean> = {
  jpeg: (bytes) => bytes.readUIntBE(0, 3) === 0xffd8ff,
  png: (bytes) => bytes.toString('latin1', 0, 8) === '\x89PNG\r\n\x1a\n',
  gif: (bytes) => /^GIF8[79]a/.test(bytes.toString('latin1', 0, 6)),
  webp: (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
  heif: (bytes) => /^ftypavi[fs]/.test(bytes.toString('latin1', 4, 12)),
}

let waiting = 0
let last: Promise<unknown> = Promise.resolve()

/** Throws ImageRefused with its reason, Busy when too many pictures wait. */
export async function encodeImage(bytes: Buffer): Promise<EncodedImage> {
  if (bytes.length > MAX_BYTES) throw ImageRefused(
    { reason: 'too-many-bytes' }, `At most ${MAX_BYTES / 1_048_576} MB are taken.`
  )
  const format = bytes.length < 12 ? undefined : Object.keys(signatures).find((name) => signatures[name]!(bytes))
  if (!format) throw ImageRefused(
    { reason: 'not-an-image' }, 'Send a JPEG, PNG, WebP, AVIF or GIF file; its content counts, not its name.'
  )
  if (waiting >= WAITING_AT_MOST) throw Busy({ retryAfterSeconds: 10 }, 'Many pictures are being worked on.')
  waiting++
  const turn = last.then(() => encode(bytes, format)).finally(() => { waiting-- })
  last = turn.catch(() => {})
  return turn
}

async function encode(bytes: Buffer, format: string): Promise<EncodedImage> {
  const { default: sharp } = await import('sharp')   // it takes 100 ms to load, which no start should pay
  sharp.cache(false)
  try {
    const open = { limitInputPixels: MAX_PIXELS, failOn: 'warning', sequentialRead: true } as const
    const { format: found, pages = 1 } = await sharp(bytes, open).metadata()
    if (found !== format) throw ImageRefused({ reason: 'broken' })
    if (pages > MAX_FRAMES) throw ImageRefused(
      { reason: 'too-many-frames' }, `An animation may have ${MAX_FRAMES} frames.`
    )
    const animated = pages > 1
    const whole = await sharp(bytes, { ...open, animated }).autoOrient()
      .resize({ width: MAX_EDGE, height: MAX_EDGE, fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 88, effort: 3 }).toBuffer({ resolveWithObject: true })
    const files = [{ name: 'full.webp', ...sizeOf(whole.info), data: whole.data }]
    for (const width of WIDTHS.filter((one) => one < whole.info.width)) {
      const { data, info } = await sharp(bytes, { ...open, animated }).autoOrient()
        .resize({ width }).webp({ quality: 80, effort: 3 }).toBuffer({ resolveWithObject: true })
      files.splice(-1, 0, { name: `${width}.webp`, ...sizeOf(info), data })
    }
    return { animated, files }
  } catch (error) {
    throw refusalOf(error as Error)
  }
}

// The height of an animation is that of one frame; sharp lays them below one another.
function sizeOf(info: { width: number; height: number; size: number; pageHeight?: number }) {
  return { width: info.width, height: info.pageHeight ?? info.height, bytes: info.size }
}

function refusalOf(error: Error): Error {
  if (error.name === 'Problem') return error
  if (/exceeds pixel limit|dimension|too large|width|height/i.test(error.message)) {
    return ImageRefused(
      { reason: 'too-many-pixels' },
      `At most ${MAX_PIXELS / 1_000_000} megapixels are taken, all frames of an animation together.`
    )
  }
  return ImageRefused({ reason: 'broken' }, 'The file is cut off or damaged: save it anew and send it again.')
}
