// How many products match, and how many with each value of a facet. A page reads twenty products, a count would read
// every match: 230 ms for 100,000. So the first answer counts a thousand at most and says so when there are more; all
// are then counted aside, one count after the other, and known to whoever asks from then on. Counts of more than a
// few are kept for half a minute, apart from the pages.
import { Type, type Static } from 'typebox'
import { measured, none, replanned, sql, type Conn, type Db } from '../../platform/db.ts'
import { matchingProducts, SEPARATOR, type SearchFilter } from './matching-products.ts'

export const FacetValue = Type.Object({ value: Type.String(), count: Type.Integer() })
export const Facet = Type.Object({ name: Type.String(), values: Type.Array(FacetValue) })
const Counts = Type.Object({ total: Type.Integer(), facets: Type.Array(Facet) })
/** `countedAll` false: more match, the total and the counts are of the thousand that were counted. */
export type Counted = Static<typeof Counts> & { countedAll: boolean }

/** So many are counted while somebody waits: 8 ms. */
export const COUNTED_AT_ONCE = 1_000
const MAX_VALUES_PER_FACET = 100
const SOME = 250                // take 2 ms to count: from here on it is worth to keep that
const KEPT_MS = 30_000          // then they are counted again
const SHOWN_MS = 600_000        // until that is done, counts of more than a thousand are shown, for so long at most
const KEPT_AT_MOST = 1_000      // of some kilobytes each
const WAITING_AT_MOST = 100     // to be counted aside: who finds more waiting asks again later

type Kept = { counts: Promise<Counted>; since: number; many: boolean }
class Counter {
  readonly kept = new Map<string, Kept>()
  readonly aside = new Set<string>()
  last: Promise<unknown> = Promise.resolve()
}
const counters = new WeakMap<object, Counter>()

/**
 * How many products match, and how many of them have each facet value: the 100 most frequent of each. A facet that is
 * filtered counts what matches all other filters, so that a shopper sees what another value would give.
 */
export async function countFacets(conn: Conn, filter: SearchFilter): Promise<Counted> {
  const { facets = {} } = filter
  const filtered = Object.keys(facets)
  const [own, ...alone] = await Promise.all([
    countPlain(conn, filter),
    ...filtered.map(async (name) => {
      const { [name]: _, ...others } = facets
      const counted = await countPlain(conn, { ...filter, facets: others })
      return { ...counted, facets: counted.facets.filter((facet) => facet.name === name) }
    }),
  ])
  const all = [...own.facets.filter(({ name }) => !filtered.includes(name)), ...alone.flatMap(({ facets }) => facets)]
  return {
    total: own.total, facets: all.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    countedAll: [own, ...alone].every(({ countedAll }) => countedAll),
  }
}

/** The same, with each facet as filtered as it is. However many ask at a time, one counts. */
export function countPlain(conn: Conn, filter: SearchFilter): Promise<Counted> {
  const counter = counters.get(conn.root) ?? new Counter()
  counters.set(conn.root, counter)
  const { kept } = counter
  const key = JSON.stringify([
    filter.channelId, filter.text, filter.categoryId, filter.collectionId, filter.among?.key,
    Object.entries(filter.facets ?? {}).sort(),
  ])
  const keep = (counts: Promise<Counted>, many: boolean): void => {
    kept.delete(key)
    kept.set(key, { counts, since: performance.now(), many })
    if (kept.size > KEPT_AT_MOST) kept.delete(kept.keys().next().value!)
  }
  const countAside = (): void => {
    if (counter.aside.has(key) || counter.aside.size >= WAITING_AT_MOST) return
    counter.aside.add(key)
    const turn = (): Promise<void> => measured(() => readCounts(conn.root as Db, filter), 'export')
      // What could not be counted is asked for again.
      .then((all) => keep(Promise.resolve(all), true), () => {})
      .finally(() => counter.aside.delete(key))
    counter.last = counter.last.then(turn)
  }
  const known = kept.get(key)
  const age = known ? performance.now() - known.since : Infinity
  if (known && age < (known.many ? SHOWN_MS : KEPT_MS)) {
    if (age >= KEPT_MS) countAside()
    return known.counts
  }
  const counts = readCounts(conn, filter, COUNTED_AT_ONCE)
  keep(counts, false)
  counts.then(({ total, countedAll }) => {
    if (!countedAll) countAside()
    else if (total < SOME && kept.get(key)?.counts === counts) kept.delete(key)
  }, () => kept.delete(key))
  return counts
}

// The total is counted in the same pass, as a facet without a name.
async function readCounts(conn: Conn, filter: SearchFilter, atMost?: number): Promise<Counted> {
  const counts = await conn.one(Counts, replanned(sql`
    with matching as (${matchingProducts(filter)} ${atMost === undefined ? none : sql`limit ${atMost + 1}`}),
    counted as materialized (
      select facet, count(*) as count
        from matching cross join lateral unnest(array_append(facets, ${SEPARATOR})) as facet
       group by facet),
    ranked as (
      select split_part(facet, ${SEPARATOR}, 1) as name, split_part(facet, ${SEPARATOR}, 2) as value, count,
             row_number() over (partition by split_part(facet, ${SEPARATOR}, 1) order by count desc, facet) as place
        from counted where facet <> ${SEPARATOR})
    select coalesce((select count from counted where facet = ${SEPARATOR}), 0) as total,
           coalesce((select jsonb_agg(jsonb_build_object('name', name, 'values', values) order by name)
              from (select name, jsonb_agg(jsonb_build_object('value', value, 'count', count) order by place) as values
                      from ranked where place <= ${MAX_VALUES_PER_FACET} group by name) as named), '[]') as facets`))
  const countedAll = atMost === undefined || counts.total <= atMost
  return { ...counts, total: countedAll ? counts.total : atMost, countedAll }
}
