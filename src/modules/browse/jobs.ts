// What browsing does by itself: it keeps the offers that lists are sorted and filtered by.

import { on, sweep } from '../../platform/events.ts'
import { ProductChanged } from '../catalog/catalog.ts'
import { StockChanged } from '../inventory/inventory.ts'
import { PricesChanged } from '../pricing/pricing.ts'
import { checkOffers, followPrices, followProducts, followStock } from './refresh-offers.ts'

export const handlers = [
  on(ProductChanged, 'browse.follow-products', (db, { productIds }) => followProducts(db, productIds)),
  on(PricesChanged, 'browse.follow-prices', (db, { variantIds }) => followPrices(db, variantIds)),
  on(StockChanged, 'browse.follow-stock', (db, { variantIds }) => followStock(db, variantIds)),
]

export const sweeps = [sweep('browse.check-offers', { everySeconds: 5 }, checkOffers)]
