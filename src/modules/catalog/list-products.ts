// The list of products that staff works in: newest first, in every state, found by words as well as by SKU.
import { Type } from 'typebox'
import { none, sql, type Conn, type Statement } from '../../platform/db.ts'
import { decodeCursor, encodeCursor, Id, Page, PageQuery, route, Timestamp } from '../../platform/http.ts'
import { InvalidCursor } from '../../platform/problem.ts'
import { ProductStatus, ProductSummary } from './catalog.ts'
import { firstImage } from './get-product.ts'

export const ProductListQuery = Type.Object({
  ...PageQuery,
  text: Type.Optional(Type.String({ maxLength: 200,
    description: 'Words of the product, the beginning of one is enough; SKUs and barcodes too' })),
  status: Type.Optional(ProductStatus),
  categoryId: Type.Optional(Id),
  collectionId: Type.Optional(Id),
  channelId: Type.Optional(Id),
})

export async function listProducts(conn: Conn, query: Type.Static<typeof ProductListQuery>) {
  const { limit = 20, cursor, text, status, categoryId, collectionId, channelId } = query
  const [createdAt, id] = cursor ? decodeCursor(cursor, [Timestamp, Id]) : []
  const items = await conn.many(ProductSummary, sql`
    select id, handle, title, vendor, type, tags, status, (${firstImage(sql`product.id`)}) as "imageUrl", version,
      created_at as "createdAt", updated_at as "updatedAt",
      (select count(*) from catalog.variant where product_id = product.id and active) as "variantCount"
    from catalog.product
    where true
      ${status ? sql`and status = ${status}` : none}
      ${text?.trim() ? sql`and id = any (array(${withWords(text)}))` : none}
      ${categoryId ? sql`and id in (select product_id from catalog.product_category where category_id = ${categoryId})`
        : none}
      ${collectionId ? sql`and id in (select product_id from catalog.collection_product
        where collection_id = ${collectionId})` : none}
      ${channelId ? sql`and id in (select product_id from catalog.publication where channel_id = ${channelId})` : none}
      ${id ? sql`and (created_at, id) < (${createdAt}::timestamptz, ${id}::uuid)` : none}
    order by created_at desc, id desc
    limit ${limit + 1}`)
  const last = items[limit - 1]
  return { items: items.slice(0, limit),
    nextCursor: items.length > limit && last ? encodeCursor([last.createdAt, last.id]) : null }
}

// As an array it is read first and through its index, whatever the planner, which cannot know how rare a word is,
// thinks of it.
const withWords = (text: string): Statement => sql`
  select product_id from catalog.product_search where document @@ (select catalog.search_query(${text}))`

export const getProductList = route({
  method: 'GET', path: '/admin/products', access: { permission: 'catalog:read' }, tags: ['Catalogue'],
  summary: 'List products',
  query: ProductListQuery, response: { 200: Page(ProductSummary) }, problems: [InvalidCursor],
  run: ({ db, query }) => listProducts(db, query),
})
