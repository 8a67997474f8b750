// What customers who signed in may ask of their own data.
import { myDataRoutes } from './my-data.ts'

export const storeRoutes = [...myDataRoutes]
