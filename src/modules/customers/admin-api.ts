// What staff may ask of customers.
import { addressRoutes } from './addresses.ts'
import { consentRoutes } from './consents.ts'
import { groupRoutes } from './groups.ts'
import { customerRoutes } from './people.ts'
import { segmentRoutes } from './segments.ts'
import { staffRoutes as storeCreditRoutes } from './store-credit-routes.ts'

export const adminRoutes = [
  ...customerRoutes, ...addressRoutes, ...groupRoutes, ...segmentRoutes, ...consentRoutes, ...storeCreditRoutes,
]
