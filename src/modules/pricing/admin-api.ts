// What staff does with prices, taxes, promotions and coupons.
import { couponRoutes } from './coupons.ts'
import { priceListRoutes } from './price-lists.ts'
import { priceRoutes } from './prices.ts'
import { promotionRoutes } from './promotions.ts'
import { taxRateRoutes } from './tax-rates.ts'

export const adminRoutes = [...priceListRoutes, ...priceRoutes, ...taxRateRoutes, ...promotionRoutes, ...couponRoutes]
