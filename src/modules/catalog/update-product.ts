// Changes what a product says of itself: only the fields that are sent. Two people who edit one product do not
// overwrite each other: the ETag that was read comes back as If-Match and is compared under the row's lock.
import { Type, type Static } from 'typebox'
import { json, sql, type Tx } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { InvalidValue, VersionConflict } from '../../platform/problem.ts'
import { AssetNotFound } from '../media/media.ts'
import { announceProducts } from './announce-products.ts'
import { checkAttributes } from './attributes.ts'
import {
  CategoryNotFound, Handle, HandleTaken, ImageInput, ImageNotFound, Product, productFields, ProductNotFound, Title,
} from './catalog.ts'
import { getProduct } from './get-product.ts'
import { rememberHandles } from './handles.ts'
import { checkMetadata, imageRows, uniqueTags } from './internal/product-document.ts'
import { sanitize } from './internal/sanitize.ts'
import { withAssets, writeCategories, writeImages } from './internal/write-products.ts'

export const ProductPatch = Type.Object({
  handle: Type.Optional(Handle), title: Type.Optional(Title), ...productFields,
  images: Type.Optional(Type.Array(ImageInput,
    { maxItems: 250, description: 'All of them, in order; a picture is known by its url' })),
  categoryIds: Type.Optional(Type.Array(Id, { maxItems: 100, uniqueItems: true, description: 'All of them' })),
})
export type ProductPatch = Static<typeof ProductPatch>

/**
 * Changes the product. `version`: the one that the caller saw; without it the last writer wins. Throws ProductNotFound,
 * VersionConflict, HandleTaken, InvalidValue, CategoryNotFound. The former handle keeps leading to the product.
 */
export async function updateProduct(tx: Tx, productId: string, patch: ProductPatch, version?: number): Promise<void> {
  const before = await lockProduct(tx, productId, version)
  const { attributes, metadata, tags, images, categoryIds } = patch
  if (attributes) await checkAttributes(tx, [{ attributes, path: 'body/attributes' }])
  if (metadata) checkMetadata(metadata, 'body/metadata')
  const handle = patch.handle ?? before.handle
  const pictures = images && await withAssets(tx, imageRows(handle, images, 'body/images'))
  await tx.run(sql`
    update catalog.product set handle = ${handle}, title = coalesce(${patch.title?.trim()}, title),
      description_html = coalesce(${patch.descriptionHtml === undefined ? undefined : sanitize(patch.descriptionHtml)},
      description_html),
      vendor = coalesce(${patch.vendor?.trim()}, vendor), type = coalesce(${patch.type?.trim()}, type),
      tags = coalesce(${tags && uniqueTags(tags)}, tags), status = coalesce(${patch.status}, status),
      tax_class = coalesce(${patch.taxClass}, tax_class), seo_title = coalesce(${patch.seoTitle}, seo_title),
      seo_description = coalesce(${patch.seoDescription}, seo_description),
      attributes = coalesce(${attributes && json(attributes)}::jsonb, attributes),
      metadata = coalesce(${metadata && json(metadata)}::jsonb, metadata)
    where id = ${productId}`)
  await Promise.all([
    handle !== before.handle ? rememberHandles(tx, 'product', [{ id: productId, handle: before.handle }]) : undefined,
    pictures ? writeImages(tx, [handle], pictures) : undefined,
    categoryIds ? writeCategories(tx, [{ handle, category_ids: categoryIds }]) : undefined,
    announceProducts(tx, [productId]),
  ])
}

const Locked = Type.Object({ handle: Type.String(), version: Type.Integer(), options: Product.properties.options })

/**
 * Locks the product until the end of `tx`, and compares the version that the caller saw. Throws ProductNotFound,
 * VersionConflict.
 */
export async function lockProduct(tx: Tx, productId: string, version?: number): Promise<Static<typeof Locked>> {
  const product = await tx.maybe(Locked,
    sql`select handle, version, options from catalog.product where id = ${productId} for update`)
  if (!product) throw ProductNotFound({ productId })
  if (version !== undefined && version !== product.version) {
    throw VersionConflict({}, `It has version ${product.version} now, you saw ${version}. ` +
      'Read it again and repeat your change.')
  }
  return product
}

/**
 * The version in an If-Match header; undefined when there is none, or for `*`. Throws VersionConflict for what cannot
 * be one of ours.
 */
export function versionIn(headers: Record<string, string | undefined>): number | undefined {
  const header = headers['if-match']
  if (header === undefined || header.trim() === '*') return undefined
  const version = /^\s*(?:W\/)?"(\d{1,9})"\s*$/.exec(header)?.[1]
  if (version === undefined) throw VersionConflict({}, 'If-Match must be the ETag of the product as you read it.')
  return Number(version)
}

export const patchProduct = route({
  method: 'PATCH', path: '/admin/products/:productId', access: { permission: 'catalog:write' }, tags: ['Catalogue'],
  summary: 'Change fields of a product',
  description: 'Send If-Match with the ETag that you read, so that nobody is overwritten.',
  params: Type.Object({ productId: Id }), body: ProductPatch, response: { 200: Product },
  problems: [
    ProductNotFound, VersionConflict, HandleTaken, InvalidValue, CategoryNotFound, ImageNotFound, AssetNotFound
  ],
  async run({ db, context, params: { productId }, body, headers, reply }) {
    const product = await db.transaction(context, async (tx) => {
      await updateProduct(tx, productId, body, versionIn(headers))
      return getProduct(tx, productId)
    })
    reply.header('etag', `"${product.version}"`)
    return product
  },
})

export const archiveProduct = route({
  method: 'DELETE', path: '/admin/products/:productId', access: { permission: 'catalog:write' }, tags: ['Catalogue'],
  summary: 'Archive a product',
  description: 'It is sold nowhere from now on. Orders and reports keep it; status active brings it back.',
  params: Type.Object({ productId: Id }), response: { 204: null }, problems: [ProductNotFound, VersionConflict],
  run: ({ db, context, params: { productId }, headers }) =>
    db.transaction(context, (tx) => updateProduct(tx, productId, { status: 'archived' }, versionIn(headers))),
})
