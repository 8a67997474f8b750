// What staff and servers do with the catalogue.
import { attributeRoutes } from './attributes.ts'
import { categoryRoutes } from './category-routes.ts'
import { putOptions } from './change-options.ts'
import { channelRoutes } from './channels.ts'
import { collectionRoutes } from './collection-routes.ts'
import { postProduct } from './create-product.ts'
import { readProduct } from './get-product.ts'
import { findVariants } from './get-variants.ts'
import { getProductList } from './list-products.ts'
import { publicationRoutes } from './publish-products.ts'
import { postOptionName } from './rename-option.ts'
import { archiveProduct, patchProduct } from './update-product.ts'
import { patchVariants } from './update-variants.ts'

export const adminRoutes = [
  getProductList, postProduct, readProduct, patchProduct, archiveProduct, putOptions, postOptionName, patchVariants,
  findVariants,
  ...attributeRoutes, ...categoryRoutes, ...collectionRoutes, ...channelRoutes, ...publicationRoutes,
]
