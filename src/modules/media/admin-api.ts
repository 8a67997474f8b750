// What staff may ask of media.
import { postAsset } from './add-asset.ts'
import { libraryRoutes } from './assets.ts'

export const adminRoutes = [postAsset, ...libraryRoutes]
