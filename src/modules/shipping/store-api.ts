// What a shopper asks of shipping. The options for a cart are checkout's to offer.
import { listShippingCountries } from './shipping-options.ts'

export const storeRoutes = [listShippingCountries]
