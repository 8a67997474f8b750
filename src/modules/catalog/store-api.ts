// What a shop page asks of the catalogue itself. Products with their prices and stock are answered by module browse.
import { getStoreCategories, getStoreCategory } from './category-routes.ts'
import { readStoreChannel } from './channels.ts'
import { getStoreCollection, getStoreCollections } from './collection-routes.ts'

export const storeRoutes = [
  readStoreChannel, getStoreCategories, getStoreCategory, getStoreCollections, getStoreCollection,
]
