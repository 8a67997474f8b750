// One page out of limit + 1 rows; the id of its last row is the cursor. Ids are made in order of time, so they are an
// order.
import { encodeCursor } from '../../../platform/http.ts'

export function page<Row extends { id: string }>(rows: Row[], limit: number) {
  const items = rows.slice(0, limit)
  return { items, nextCursor: rows.length > limit ? encodeCursor([items.at(-1)!.id]) : null }
}
