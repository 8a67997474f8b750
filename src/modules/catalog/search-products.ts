// Finds the products that a channel shows: by words, category, collection and facets, with the counts beside each facet
// value. Prices and stock belong to others, who join `matchingProducts` to sort and filter by theirs. Measured at
// 100,000 products: docs/decisions/search.md.
import { Type, type Static, type TSchema } from 'typebox'
import { none, sql, type Conn, type Statement } from '../../platform/db.ts'
import { decodeCursor, encodeCursor, Id, Timestamp } from '../../platform/http.ts'
import { correctSpelling } from './correct-spelling.ts'
import { countFacets, type Counted } from './count-facets.ts'
import { shownNow } from './get-listed-products.ts'
import { matchingProducts, type SearchFilter } from './matching-products.ts'

export const SearchSort = Type.Enum(['relevance', 'newest', 'title', 'position'])
export type SearchSort = Static<typeof SearchSort>
export type SearchRequest = SearchFilter & {
  sort?: SearchSort | undefined
  limit?: number | undefined
  cursor?: string | undefined
  countFacets?: boolean | undefined
}

export type SearchResult = {
  hits: { productId: string; rank: number }[]
  nextCursor: string | null
  /** How many there are in all, and how many with each facet value; undefined unless asked for. */
  counts: Counted | undefined
  /** What was searched instead, when the words as typed found nothing. */
  correctedText: string | undefined
}

/**
 * One page of what matches. Sorted by relevance when there is text, else newest first. A facet counts as if it were not
 * filtered itself, so that a shopper sees what another value would give. Throws InvalidCursor.
 */
export async function searchProducts(conn: Conn, request: SearchRequest): Promise<SearchResult> {
  const text = request.text?.trim() || undefined
  const found = await searchOnce(conn, { ...request, text })
  if (found.hits.length > 0 || request.cursor || !text) return { ...found, correctedText: undefined }
  const correctedText = await correctSpelling(conn, text)
  if (!correctedText) return { ...found, correctedText: undefined }
  return { ...await searchOnce(conn, { ...request, text: correctedText }), correctedText }
}

async function searchOnce(conn: Conn, request: SearchRequest): Promise<Omit<SearchResult, 'correctedText'>> {
  const [page, counts] = await Promise.all(
    [readPage(conn, request), request.countFacets ? countFacets(conn, request) : undefined])
  return { ...page, counts }
}

// What a page is sorted by: the expression, its type (for the cursor), and whether it descends; the product's id breaks
// ties the same way.
const sorts: Record<SearchSort, { key: Statement; type: Statement; schema: TSchema; descending: boolean }> = {
  relevance: { key: sql`matching.rank`, type: sql`float8`, schema: Type.Number(), descending: true },
  newest: { key: sql`matching.published_from`, type: sql`timestamptz`, schema: Timestamp, descending: true },
  title: { key: sql`product.title`, type: sql`text`, schema: Type.String(), descending: false },
  position: { key: sql`member.position`, type: sql`integer`,
    schema: Type.Integer({ minimum: 0, maximum: 2_147_483_647 }), descending: false },
}
const Hit = Type.Object({ productId: Type.String(), rank: Type.Number(),
  key: Type.Union([Type.String(), Type.Number()]) })

async function readPage(conn: Conn, request: SearchRequest): Promise<Pick<SearchResult, 'hits' | 'nextCursor'>> {
  const { limit = 20, cursor, text, collectionId } = request
  const sort = request.sort ?? (text ? 'relevance' : collectionId ? 'position' : 'newest')
  const { key, type, schema, descending } = sorts[sort === 'position' && !collectionId ? 'newest' : sort]
  const [after, id] = cursor ? decodeCursor(cursor, [schema, Id]) : []
  const direction = descending ? sql`desc` : none
  const rows = await conn.many(Hit, sql`
    select matching.product_id as "productId", matching.rank, ${key} as key
      from (${matchingProducts(request)}) as matching
      ${sort === 'title' ? sql`join catalog.product on product.id = matching.product_id` : none}
      ${sort === 'position' && collectionId
        ? sql`join catalog.collection_product member on member.product_id = matching.product_id
          and member.collection_id = ${collectionId}` : none}
     ${id ? sql`where (${key}, matching.product_id) ${descending ? sql`<` : sql`>`} (${after}::${type}, ${id}::uuid)`
       : none}
     order by ${key} ${direction}, matching.product_id ${direction}
     limit ${limit + 1}`)
  const last = rows[limit - 1]
  return {
    hits: rows.slice(0, limit).map(({ productId, rank }) => ({ productId, rank })),
    nextCursor: rows.length > limit && last ? encodeCursor([last.key, last.productId]) : null,
  }
}

/**
 * How many products each category holds in the channel now, those below it included. 200 ms for 100,000 products: ask
 * when it is shown.
 */
export async function countCategories(conn: Conn, channelId: string): Promise<{ categoryId: string; count: number }[]> {
  return conn.many(Type.Object({ categoryId: Type.String(), count: Type.Integer() }), sql`
    select ancestor as "categoryId", count(*) as count
      from (select distinct ancestor, membership.product_id
              from catalog.product_category membership
              join catalog.category on category.id = membership.category_id
             cross join lateral unnest(category.path) as ancestor) as member
      join catalog.product_search search on search.product_id = member.product_id and search.active
      join catalog.publication on publication.product_id = member.product_id and publication.channel_id = ${channelId}
        and ${shownNow}
     group by ancestor`)
}
