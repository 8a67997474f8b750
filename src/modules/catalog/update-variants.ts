// Changes many variants of a product in one call and one statement: what a table editor or an ERP sends. SKUs may be
// swapped within it.
import { Type, type Static } from 'typebox'
import { json, sql, type Tx } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { InvalidValue, VersionConflict } from '../../platform/problem.ts'
import { announceProducts } from './announce-products.ts'
import {
  ImageNotFound, MAX_VARIANTS, Product, ProductNotFound, SkuTaken, VariantNotFound, VariantPatch,
} from './catalog.ts'
import { getProduct } from './get-product.ts'
import { checkMetadata } from './internal/product-document.ts'
import { twice } from './option-matrix.ts'
import { lockProduct, versionIn } from './update-product.ts'

/**
 * Changes the fields that are given of each variant; null empties a field that may be empty. All or nothing. Throws
 * ProductNotFound, VariantNotFound, SkuTaken, ImageNotFound, VersionConflict, InvalidValue. Asked twice it is the same.
 */
export async function updateVariants(
  tx: Tx, productId: string, patches: readonly Static<typeof VariantPatch>[], version?: number,
): Promise<void> {
  const again = twice(patches.map(({ id }) => id))
  if (again.length > 0) throw InvalidValue(
    { fields: again.slice(0, 20).map((index) => ({ path: `body/variants/${index}/id`, message: 'is there twice' })) })
  patches.forEach(({ metadata = {} }, index) => checkMetadata(metadata, `body/variants/${index}/metadata`))
  await lockProduct(tx, productId, version)
  const changed = await tx.many(Type.Object({ id: Type.String() }), sql`
    update catalog.variant set
        sku = case when patch ? 'sku' then patch ->> 'sku' else sku end,
        barcode = case when patch ? 'barcode' then patch ->> 'barcode' else barcode end,
        tax_class = case when patch ? 'taxClass' then patch ->> 'taxClass' else tax_class end,
        image_id = case when patch ? 'imageId' then (patch ->> 'imageId')::uuid else image_id end,
        weight_grams = coalesce((patch ->> 'weightGrams')::integer, weight_grams),
        requires_shipping = coalesce((patch ->> 'requiresShipping')::boolean, requires_shipping),
        active = coalesce((patch ->> 'active')::boolean, active),
        metadata = coalesce(patch -> 'metadata', metadata)
      from jsonb_array_elements(${json(patches)}::jsonb) as patch
     where id = (patch ->> 'id')::uuid and product_id = ${productId}
    returning id`)
  if (changed.length < patches.length) {
    const known = new Set(changed.map(({ id }) => id))
    throw VariantNotFound({ variantIds: patches.map(({ id }) => id).filter((id) => !known.has(id.toLowerCase())) })
  }
  await announceProducts(tx, [productId])
}

export const patchVariants = route({
  method: 'PATCH', path: '/admin/products/:productId/variants', access: { permission: 'catalog:write' },
  tags: ['Catalogue'],
  summary: 'Change many variants of a product',
  params: Type.Object({ productId: Id }), bodyLimit: 8_388_608,
  body: Type.Object({ variants: Type.Array(VariantPatch, { minItems: 1, maxItems: MAX_VARIANTS }) }),
  response: { 200: Product },
  problems: [ProductNotFound, VariantNotFound, SkuTaken, ImageNotFound, VersionConflict, InvalidValue],
  async run({ db, context, params: { productId }, body, headers, reply }) {
    const product = await db.transaction(context, async (tx) => {
      await updateVariants(tx, productId, body.variants, versionIn(headers))
      return getProduct(tx, productId)
    })
    reply.header('etag', `"${product.version}"`)
    return product
  },
})
