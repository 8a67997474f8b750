// Pages of things that have an id. Ids are made in order of time, so they are an order, and the id of the last row is
// the cursor.
import { decodeCursor, encodeCursor } from '../../../platform/http.ts'
import { InvalidCursor } from '../../../platform/problem.ts'

/** The id in a cursor, or null for the first page. Throws InvalidCursor. */
export function idAfter(cursor: string | undefined): string | null {
  if (cursor === undefined) return null
  const [id] = decodeCursor(cursor, 1)
  if (typeof id === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return id
  throw InvalidCursor({}, 'Take the cursor from nextCursor of the page before.')
}

/** The page out of limit + 1 rows. */
export function page<Row>(rows: Row[], limit: number, idOf: (row: Row) => string) {
  const items = rows.slice(0, limit)
  return { items, nextCursor: rows.length > limit ? encodeCursor([idOf(items.at(-1)!)]) : null }
}
