// What staff does with shipping.
import { methodRoutes } from './methods.ts'
import { zoneRoutes } from './zones.ts'

export const adminRoutes = [...zoneRoutes, ...methodRoutes]
