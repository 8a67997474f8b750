// The routes of the shop, API by API, in the order of the module graph. The roles serve them, OpenAPI and the SDK
// describe them. Each API of a module is listed here once; src/tidy.test.ts fails for one that is not.
import packageJson from '../package.json' with { type: 'json' }
import { storeRoutes as accountsStore } from './modules/accounts/store-api.ts'
import { storeRoutes as browseStore } from './modules/browse/store-api.ts'
import { adminRoutes as catalogAdmin } from './modules/catalog/admin-api.ts'
import { storeRoutes as catalogStore } from './modules/catalog/store-api.ts'
import { storeRoutes as checkoutStore } from './modules/checkout/store-api.ts'
import { adminRoutes as customersAdmin } from './modules/customers/admin-api.ts'
import { storeRoutes as customersStore } from './modules/customers/store-api.ts'
import { adminRoutes as identityAdmin } from './modules/identity/admin-api.ts'
import { adminRoutes as inventoryAdmin } from './modules/inventory/admin-api.ts'
import { adminRoutes as mediaAdmin } from './modules/media/admin-api.ts'
import { storeRoutes as mediaStore } from './modules/media/store-api.ts'
import { adminRoutes as notificationsAdmin } from './modules/notifications/admin-api.ts'
import { adminRoutes as ordersAdmin } from './modules/orders/admin-api.ts'
import { storeRoutes as ordersStore } from './modules/orders/store-api.ts'
import { adminRoutes as paymentsAdmin } from './modules/payments/admin-api.ts'
import { storeRoutes as paymentsStore } from './modules/payments/store-api.ts'
import { adminRoutes as pricingAdmin } from './modules/pricing/admin-api.ts'
import { adminRoutes as shippingAdmin } from './modules/shipping/admin-api.ts'
import { adminRoutes as privacyAdmin } from './modules/privacy/admin-api.ts'
import { storeRoutes as privacyStore } from './modules/privacy/store-api.ts'
import { storeRoutes as shippingStore } from './modules/shipping/store-api.ts'
import { auditRoutes } from './platform/audit-log.ts'
import type { Description } from './platform/openapi.ts'

const { version } = packageJson

export const storeApi: Description = {
  title: 'Kontor Store API', version,
  description: 'For shoppers, in the channel of the publishable key: find, fill a cart, pay, follow the order.',
  routes: [
    ...mediaStore, ...catalogStore, ...shippingStore, ...paymentsStore, ...browseStore, ...ordersStore,
    ...customersStore, ...checkoutStore, ...accountsStore, ...privacyStore,
  ],
}

export const adminApi: Description = {
  title: 'Kontor Admin API', version,
  description: 'For staff and servers, with a session or a secret key that has the permission.',
  routes: [
    ...mediaAdmin, ...notificationsAdmin, ...identityAdmin, ...catalogAdmin, ...shippingAdmin, ...inventoryAdmin,
    ...pricingAdmin, ...paymentsAdmin, ...ordersAdmin, ...customersAdmin, ...privacyAdmin,
    ...auditRoutes,
  ],
}
