// What shoppers may ask of browsing.

import { getStoreProduct } from './get-product.ts'
import { getStoreProducts } from './list-products.ts'

export const storeRoutes = [getStoreProducts, getStoreProduct]
