// Finds the products that a channel shows: by words, category, collection and facets, with the counts beside each facet
// value. Prices and stock belong to others, who join `matchingProducts` to sort and filter by theirs. Measured at
// 100,000 products: docs/decisions/search.md.
import { Type, type Static, type TSchema } from 'typebox'
import { none, replanned, sql, type Conn, type Statement } from '../../platform/db.ts'
import { decodeCursor, encodeCursor, Id, Timestamp } from '../../platform/http.ts'
import { correctSpelling } from './correct-spelling.ts'
import { COUNTED_AT_ONCE, countFacets, countPlain, type Counted } from './count-facets.ts'
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

type Page = Pick<SearchResult, 'hits' | 'nextCursor'>

async function searchOnce(conn: Conn, request: SearchRequest): Promise<Omit<SearchResult, 'correctedText'>> {
  const { text, sort, collectionId } = request
  if (text && (sort ?? 'relevance') === 'relevance') return searchRanked(conn, request)
  const by = sort === 'relevance' || (sort === 'position' && !collectionId) ? undefined : sort
  const [page, counts] = await Promise.all([
    readPage(conn, request, by ?? (collectionId ? 'position' : 'newest')),
    request.countFacets ? countFacets(conn, request) : undefined,
  ])
  return { ...page, counts }
}

/**
 * By relevance: a rank takes a look at each match, so it is for a thousand at most. More than that are much of a
 * muchness: those with the words in their title come first, each part newest first. A cursor says which of the two.
 */
async function searchRanked(conn: Conn, request: SearchRequest): Promise<Omit<SearchResult, 'correctedText'>> {
  const counting = request.countFacets ? countFacets(conn, request) : undefined
  const { total, countedAll } = await countPlain(conn, request)
  const many = request.cursor ? isTitled(request.cursor) : !countedAll || total > COUNTED_AT_ONCE
  const [page, counts] = await Promise.all([
    many ? readTitlesFirst(conn, request) : readPage(conn, request, 'relevance'), counting,
  ])
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

async function readPage(conn: Conn, request: SearchRequest, sort: SearchSort): Promise<Page> {
  const { limit = 20, cursor, collectionId } = request
  const { key, type, schema, descending } = sorts[sort]
  const [after, id] = cursor ? decodeCursor(cursor, [schema, Id]) : []
  const direction = descending ? sql`desc` : none
  const rows = await conn.many(Hit, replanned(sql`
    select matching.product_id as "productId", matching.rank, ${key} as key
      from (${matchingProducts(request)}) as matching
      ${sort === 'title' ? sql`join catalog.product on product.id = matching.product_id` : none}
      ${sort === 'position'
        ? sql`join catalog.collection_product member on member.product_id = matching.product_id
          and member.collection_id = ${collectionId}` : none}
     ${id ? sql`where (${key}, matching.product_id) ${descending ? sql`<` : sql`>`} (${after}::${type}, ${id}::uuid)`
       : none}
     order by ${key} ${direction}, matching.product_id ${direction}
     limit ${limit + 1}`))
  return pageOf(rows, limit, (last) => [last.key, last.productId])
}

const Words = Type.Enum(['in title', 'elsewhere'])
const TitledHit = Type.Object({ productId: Type.String(), rank: Type.Number(), words: Words,
  publishedFrom: Timestamp })
const titledCursor = [Words, Timestamp, Id]

function isTitled(cursor: string): boolean {
  try {
    return Boolean(decodeCursor(cursor, titledCursor))
  } catch {
    return false      // another's, or none at all: whoever reads it says so
  }
}

// Two walks, of which the second begins where the first has ended: `union all` runs them one after the other.
async function readTitlesFirst(conn: Conn, request: SearchRequest): Promise<Page> {
  const { limit = 20, cursor } = request
  const [from = 'in title', after, id] = cursor ? decodeCursor(cursor, titledCursor) : []
  const walk = (words: Static<typeof Words>): Statement => sql`(
    select product_id as "productId", rank, ${words}::text as words, published_from as "publishedFrom"
      from (${matchingProducts(request, words)}) as matching
     ${id && words === from
       ? sql`where (published_from, product_id) < (${after}::timestamptz, ${id}::uuid)` : none}
     order by published_from desc, product_id desc limit ${limit + 1})`
  const rows = await conn.many(TitledHit, replanned(sql`
    select * from (${from === 'elsewhere' ? none : sql`${walk('in title')} union all`} ${walk('elsewhere')}) as found
    limit ${limit + 1}`))
  return pageOf(rows, limit, (last) => [last.words, last.publishedFrom, last.productId])
}

function pageOf<Row extends { productId: string; rank: number }>(
  rows: readonly Row[], limit: number, keyOf: (row: Row) => (string | number)[],
): Page {
  const last = rows[limit - 1]
  return {
    hits: rows.slice(0, limit).map(({ productId, rank }) => ({ productId, rank })),
    nextCursor: rows.length > limit && last ? encodeCursor(keyOf(last)) : null,
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
