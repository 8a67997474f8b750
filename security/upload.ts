// Files that are meant to harm whoever takes them: programs in the clothes of pictures, pictures with something behind
// them, names that are paths, forms that contradict themselves, and pictures with bytes changed by chance. A file is
// refused as declared, or what is served is a picture that was made anew: nothing of what was sent is in it.
import { randomBytes } from 'node:crypto'
import type { InjectOptions } from 'fastify'
import sharp from 'sharp'
import type { Random } from '../bench/random.ts'
import type { Ground } from './ground.ts'

/** What must never be served again. */
const MARK = '<script>alert("zyxelgrim")</script>'
const BOUNDARY = 'between-the-parts'

export type Upload = { name: string; body: Buffer; contentType?: string; taken?: false }

type Part = { filename?: string; bytes: Buffer; type?: string }

const form = (...parts: Part[]): Buffer => Buffer.concat([
  ...parts.flatMap(({ filename, bytes, type = 'image/png' }) => [
    Buffer.from(`--${BOUNDARY}\r\ncontent-disposition: form-data; name="file"` +
      `${filename === undefined ? '' : `; filename="${filename}"`}\r\ncontent-type: ${type}\r\n\r\n`), bytes,
    Buffer.from('\r\n'),
  ]),
  Buffer.from(`--${BOUNDARY}--\r\n`),
])

async function pictures(): Promise<Record<'png' | 'jpeg' | 'webp' | 'gif', Buffer>> {
  const plain = sharp({ create: { width: 24, height: 16, channels: 3, background: '#a04020' } })
  const tagged = plain.clone().withExif({ IFD0: { ImageDescription: MARK, Copyright: 'zyxelgrim' } })
  return {
    png: await tagged.clone().png().toBuffer(), jpeg: await tagged.clone().jpeg().toBuffer(),
    webp: await tagged.clone().webp().toBuffer(), gif: await plain.clone().gif().toBuffer(),
  }
}

/** The same for everybody. */
export async function corpus(): Promise<Upload[]> {
  const mark = Buffer.from(MARK)
  const { png, jpeg, webp, gif } = await pictures()
  const file = (name: string, bytes: Buffer | string, filename = 'a.png', taken?: false): Upload => (
    { name, body: form({ filename, bytes: Buffer.from(bytes) }), ...taken === false ? { taken } : {} })
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">${MARK}</svg>`
  const programs: Record<string, Buffer | string> = {
    svg, 'svg after a byte order mark': `\ufeff${svg}`, 'svg after blanks': `${' '.repeat(600)}${svg}`,
    html: `<!doctype html>${MARK}`, 'html that begins as a GIF': `GIF89a${MARK}`, pdf: `%PDF-1.7 ${MARK}`,
    zip: 'PK\u0003\u0004' + MARK, elf: Buffer.concat([Buffer.from('7f454c46', 'hex'), mark]),
    postscript: '%!PS\n(x) run',
    'an ImageMagick program': 'push graphic-context\nfill \'url(https://127.0.0.1/|id)\'\npop graphic-context',
    tiff: Buffer.concat([Buffer.from('49492a00', 'hex'), randomBytes(200)]),
    bmp: Buffer.concat([Buffer.from('BM'), mark]),
    nothing: '', 'one byte': 'G', zeros: Buffer.alloc(5_000), 'a WebP that says it is 4 GB': Buffer.concat([
      Buffer.from('RIFF'), Buffer.from('ffffffff', 'hex'), Buffer.from('WEBPVP8 '), randomBytes(300)]),
  }
  const names = [
    '../../../etc/passwd', '..\\..\\boot.ini', '/etc/passwd', 'a'.repeat(5_000), 'a%00.png', 'CON', '.htaccess',
    '\u202egnp.exe', `${MARK.replaceAll('"', '')}.png`, ' ', 'a.png;.php', '=cmd()',
  ]
  const behind = Object.entries({ png, jpeg, webp, gif })
  return [
    ...Object.entries(programs).map(([name, bytes]) => file(name, bytes, 'a.png', false)),
    ...behind.map(([name, bytes]) => file(`${name} with a program behind it`, Buffer.concat([bytes, mark]))),
    ...behind.map(([name, bytes]) => file(`${name} cut off`, bytes.subarray(0, bytes.length / 2), 'a.png', false)),
    ...names.map((filename) => file(`named ${filename.slice(0, 30)}`, png, filename)),
    { name: 'two files', body: form({ filename: 'a.png', bytes: png }, { filename: 'b.png', bytes: gif }) },
    { name: 'a field and no file', body: form({ bytes: png }), taken: false },
    { name: 'no part', body: Buffer.from(`--${BOUNDARY}--\r\n`), taken: false },
    { name: 'no end', body: form({ filename: 'a.png', bytes: png }).subarray(0, -20), taken: false },
    { name: 'no boundary', body: form({ filename: 'a.png', bytes: png }), contentType: 'multipart/form-data',
      taken: false },
    { name: 'another boundary', body: form({ filename: 'a.png', bytes: png }),
      contentType: 'multipart/form-data; boundary=another', taken: false },
    { name: 'a form within a form', taken: false, body: form({
      filename: 'a.png', type: `multipart/mixed; boundary=${BOUNDARY}`, bytes: form({ filename: 'b.png', bytes: mark }),
    }) },
    { name: 'JSON', body: Buffer.from('{"file":"a"}'), contentType: 'application/json', taken: false },
  ]
}

/** A picture in which chance has changed, removed or doubled some bytes. */
export async function damaged(random: Random, count: number): Promise<Upload[]> {
  const kinds = Object.entries(await pictures())
  return Array.from({ length: count }, (_, number) => {
    const [format, sound] = kinds[Math.floor(random() * kinds.length)]!
    let bytes = Buffer.from(sound)
    for (let change = 0; change <= random() * 6; change++) {
      const at = Math.floor(random() * bytes.length)
      const way = random()
      if (way < 0.6) bytes[at] = Math.floor(random() * 256)
      else {
        const from = way < 0.8 ? at + 1 + Math.floor(random() * 8) : Math.max(0, at - 9)
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(from)])
      }
    }
    return { name: `${format} ${number}, damaged`, body: form({ filename: 'a.png', bytes }) }
  })
}

/** Uploads it, and says what is wrong with the answer or with what is served then. */
export async function tryUpload(
  { ask, staff }: Pick<Ground, 'ask' | 'staff'>, upload: Upload,
): Promise<string | undefined> {
  const headers = await staff()
  const options: InjectOptions = {
    method: 'POST', url: '/admin/media', payload: upload.body, headers: {
      ...headers, 'content-type': upload.contentType ?? `multipart/form-data; boundary=${BOUNDARY}`,
    },
  }
  const { status, text } = await ask(options)
  if (status !== 201) {
    return status >= 400 && status < 500 ? undefined : `${upload.name}: ${status} ${text.slice(0, 200)}`
  }
  if (upload.taken === false) return `${upload.name}: it was taken`
  const asset = JSON.parse(text) as { filename: string; sizes: { url: string }[] }
  if (/[\\/\p{Cc}\p{Cf}]/u.test(asset.filename)) return `${upload.name}: it is named ${JSON.stringify(asset.filename)}`
  for (const { url } of asset.sizes) {
    const served = await ask({ url: new URL(url, 'http://shop').pathname })
    const wrong = refuseServed(served.status, served.headers, served.text)
    if (wrong) return `${upload.name}: ${url} ${wrong}`
  }
  return undefined
}

function refuseServed(status: number, headers: Record<string, unknown>, text: string): string | undefined {
  if (status !== 200) return `answers ${status}`
  if (headers['content-type'] !== 'image/webp') return `is ${String(headers['content-type'])}`
  if (headers['x-content-type-options'] !== 'nosniff') return 'may be taken for something else (no nosniff)'
  if (/zyxelgrim|<script|Exif/i.test(text)) return 'holds what was sent'
  return undefined
}
