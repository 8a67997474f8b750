// Which asset an address leads to. People give a picture by the address that the library showed them, and not by its
// id: it must count as shown all the same, or it would be swept as an orphan.
import { Type } from 'typebox'
import { sql, type Conn } from '../../platform/db.ts'

// As fileUrl makes it, behind any origin: the shop's own may have several names.
const OURS = /^(?:https?:\/\/[^/?#]+)?\/media\/([a-z2-7]{26})\/[^/?#]+$/

/** Address → asset id, for those that lead into the library. One statement; none when no address looks like ours. */
export async function findAssets(conn: Conn, urls: readonly string[]): Promise<Map<string, string>> {
  const keys = new Map(urls.flatMap((url) => {
    const key = OURS.exec(url)?.[1]
    return key ? [[url, key] as const] : []
  }))
  if (keys.size === 0) return new Map()
  const found = await conn.many(Type.Object({ id: Type.String(), key: Type.String() }), sql`
    select id, key from media.asset where key = any (${[...new Set(keys.values())]}::text[])`)
  const idOf = new Map(found.map(({ id, key }) => [key, id]))
  return new Map([...keys].flatMap(([url, key]) => (idOf.has(key) ? [[url, idOf.get(key)!] as const] : [])))
}
