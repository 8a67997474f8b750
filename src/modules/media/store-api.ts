// What everybody may ask of media: the files themselves.
import { getFile } from './assets.ts'

export const storeRoutes = [getFile]
