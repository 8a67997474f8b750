// A product as staff sees it: whole, with retired variants and in every channel.
import { Type } from 'typebox'
import { sql, type Conn, type Statement } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { Product, ProductNotFound } from './catalog.ts'

/** Reads a product with everything that hangs on it, in one statement. Throws ProductNotFound. */
export async function getProduct(conn: Conn, productId: string): Promise<Product> {
  const product = await conn.maybe(Product, sql`
    select id, handle, title, description_html as "descriptionHtml", vendor, type, tags, status,
      tax_class as "taxClass",
      seo_title as "seoTitle", seo_description as "seoDescription", options, attributes, metadata, version,
      created_at as "createdAt", updated_at as "updatedAt",
      (${firstImage(sql`product.id`)}) as "imageUrl",
      (${imagesOf(sql`product.id`)}) as images,
      (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'title', title, 'options', options, 'sku', sku,
      'barcode', barcode,
          'weightGrams', weight_grams, 'requiresShipping', requires_shipping, 'taxClass', tax_class, 'imageId',
          image_id, 'active', active,
          'metadata', metadata) order by active desc, position), '[]')
         from catalog.variant where product_id = product.id) as variants,
      array(select category_id::text from catalog.product_category where product_id = product.id
        order by 1) as "categoryIds",
      array(select collection_id::text from catalog.collection_product where product_id = product.id
        order by 1) as "collectionIds",
      (select coalesce(jsonb_agg(jsonb_build_object('channelId', channel_id, 'publishedFrom',
      ${iso(sql`published_from`)},
          'publishedUntil', ${iso(sql`published_until`)}) order by channel_id), '[]')
         from catalog.publication where product_id = product.id) as publications
    from catalog.product where id = ${productId}`)
  if (!product) throw ProductNotFound({ productId })
  return product
}

/** The address of a product's first picture. */
export function firstImage(productId: Statement): Statement {
  return sql`select url from catalog.product_image where product_id = ${productId} order by position limit 1`
}

/** A product's pictures in order, as JSON. */
export function imagesOf(productId: Statement): Statement {
  return sql`select coalesce(jsonb_agg(jsonb_build_object('id', id, 'url', url, 'assetId', asset_id, 'alt', alt)
    order by position), '[]')
    from catalog.product_image where product_id = ${productId}`
}

/** A moment inside JSON, written as everywhere else on the wire. */
export function iso(moment: Statement): Statement {
  return sql`to_char(${moment} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
}

export const readProduct = route({
  method: 'GET', path: '/admin/products/:productId', access: { permission: 'catalog:read' }, tags: ['Catalogue'],
  summary: 'Read a product',
  description: 'The ETag is its version: send it back as If-Match when you change the product.',
  params: Type.Object({ productId: Id }), response: { 200: Product }, problems: [ProductNotFound],
  async run({ db, params, reply }) {
    const product = await getProduct(db, params.productId)
    reply.header('etag', `"${product.version}"`)
    return product
  },
})
