// What customers who signed in may ask of their own data.
import { myDataRoutes } from './my-data.ts'
import { ownRoutes as storeCreditRoutes } from './store-credit-routes.ts'

export const storeRoutes = [...myDataRoutes, ...storeCreditRoutes]
