// The words of media: what an asset looks like, and what can be wrong with a picture. No I/O.
import { Type, type Static } from 'typebox'
import { mapConstraint } from '../../platform/db.ts'
import { Id, Timestamp } from '../../platform/http.ts'
import { problem } from '../../platform/problem.ts'

/** The largest upload: a photograph of 48 megapixels as cameras and telephones make them has 10 to 15 MB. */
export const MAX_BYTES = 20 * 1_048_576

/** Widths that pages ask for; a picture is never enlarged. */
export const WIDTHS = [320, 640, 1280] as const

const size = { width: Type.Integer(), height: Type.Integer(), bytes: Type.Integer() }
export const StoredFile = Type.Object({ name: Type.String(), ...size })
export type StoredFile = Static<typeof StoredFile>

export const Asset = Type.Object({
  id: Id, filename: Type.String(), animated: Type.Boolean(), createdAt: Timestamp,
  url: Type.String({ description: 'The whole picture, at most 4,096 pixels wide and high' }), width: Type.Integer(),
  height: Type.Integer(),
  sizes: Type.Array(
    Type.Object({ url: Type.String(), ...size }), { description: 'Narrowest first; the last is the whole picture' }
  ),
  used: Type.Boolean({ description: 'Whether anything shows it. If nothing does for a day, it is removed.' }),
})
export type Asset = Static<typeof Asset>

export const ImageRefused = problem('image-refused', 422, 'This picture cannot be used', Type.Object({
  reason: Type.Enum(['not-an-image', 'broken', 'too-many-bytes', 'too-many-pixels', 'too-many-frames']),
}))
export const AssetNotFound = problem('asset-not-found', 404, 'No such picture in the media library')
export const AssetInUse = problem('asset-in-use', 409, 'Something shows this picture: take it away there first')

mapConstraint(
  'asset_use_asset', ({ detail }) => (detail.includes('is still referenced') ? AssetInUse({}) : AssetNotFound({}))
)

/** The address of a file of an asset: it never shows anything else, so it may be kept for ever. */
export const fileUrl = (key: string, name: string): string => `/media/${key}/${name}`
