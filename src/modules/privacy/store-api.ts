// What customers may ask of privacy.
import { ownRoutes } from './own-routes.ts'

export const storeRoutes = [...ownRoutes]
