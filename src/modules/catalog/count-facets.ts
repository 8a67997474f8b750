// How many products match, and how many with each value of a facet. A page reads twenty products, a count reads every
// match: 230 ms for 100,000. So counts of many are kept for half a minute, apart from the pages, and shared by all of
// them; counts of few are made each time.
import { Type, type Static } from 'typebox'
import { sql, type Conn } from '../../platform/db.ts'
import { matchingProducts, SEPARATOR, type SearchFilter } from './matching-products.ts'

export const FacetValue = Type.Object({ value: Type.String(), count: Type.Integer() })
export const Facet = Type.Object({ name: Type.String(), values: Type.Array(FacetValue) })
const Counted = Type.Object({ total: Type.Integer(), facets: Type.Array(Facet) })
export type Counted = Static<typeof Counted>

const MAX_VALUES_PER_FACET = 100
const MANY = 500                // they take 8 ms to count, several times what a page costs
const KEPT_MS = 30_000
const KEPT_AT_MOST = 1_000      // of some kilobytes each

type Kept = { counts: Promise<Counted>; until: number }
const keptOf = new WeakMap<object, Map<string, Kept>>()

/**
 * How many products match, and how many of them have each facet value: the 100 most frequent of each. A facet that is
 * filtered counts what matches all other filters, so that a shopper sees what another value would give. Exact; of this
 * moment for fewer than 500 products, at most half a minute old for more.
 */
export async function countFacets(conn: Conn, filter: SearchFilter): Promise<Counted> {
  const { facets = {} } = filter
  const filtered = Object.keys(facets)
  const [own, ...alone] = await Promise.all([
    countPlain(conn, filter),
    ...filtered.map(async (name) => {
      const { [name]: _, ...others } = facets
      return (await countPlain(conn, { ...filter, facets: others })).facets.filter((facet) => facet.name === name)
    }),
  ])
  const all = [...own.facets.filter(({ name }) => !filtered.includes(name)), ...alone.flat()]
  return { total: own.total, facets: all.toSorted((one, other) => (one.name < other.name ? -1 : 1)) }
}

/** The same, with each facet as filtered as it is. Counts of many are made once, however many ask at a time. */
function countPlain(conn: Conn, filter: SearchFilter): Promise<Counted> {
  // What another module found first is theirs alone, and as long as it likes.
  if (filter.productIds) return readCounts(conn, filter)
  const kept = keptOf.get(conn.root) ?? new Map<string, Kept>()
  keptOf.set(conn.root, kept)
  const key = JSON.stringify([
    filter.channelId, filter.text, filter.categoryId, filter.collectionId, Object.entries(filter.facets ?? {}).sort(),
  ])
  const known = kept.get(key)
  if (known && known.until > performance.now()) return known.counts
  const counts = readCounts(conn, filter)
  const until = performance.now() + KEPT_MS
  // There were many before: who asks meanwhile waits for this count.
  if (known) kept.set(key, { counts, until })
  counts.then(({ total }) => {
    kept.delete(key)
    if (total >= MANY) kept.set(key, { counts, until })
    if (kept.size > KEPT_AT_MOST) kept.delete(kept.keys().next().value!)
  }, () => kept.delete(key))
  return counts
}

// The total is counted in the same pass, as a facet without a name.
function readCounts(conn: Conn, filter: SearchFilter): Promise<Counted> {
  return conn.one(Counted, sql`
    with counted as materialized (
      select facet, count(*) as count
        from (${matchingProducts(filter)}) as matching cross
          join lateral unnest(array_append(facets, ${SEPARATOR})) as facet
       group by facet),
    ranked as (
      select split_part(facet, ${SEPARATOR}, 1) as name, split_part(facet, ${SEPARATOR}, 2) as value, count,
             row_number() over (partition by split_part(facet, ${SEPARATOR}, 1) order by count desc, facet) as place
        from counted where facet <> ${SEPARATOR})
    select coalesce((select count from counted where facet = ${SEPARATOR}), 0) as total,
           coalesce((select jsonb_agg(jsonb_build_object('name', name, 'values', values) order by name)
              from (select name, jsonb_agg(jsonb_build_object('value', value, 'count', count) order by place) as values
                      from ranked where place <= ${MAX_VALUES_PER_FACET} group by name) as named), '[]') as facets`)
}
