// Removes what nothing shows. First the row goes, and in the same transaction its key is noted; then the files go,
// and then the note. Killed anywhere between, the next run goes on.
import { Type } from 'typebox'
import { sql, systemContext, type Db } from '../../platform/db.ts'
import { WIDTHS } from './media.ts'
import { mediaStorage } from './storage.ts'

const AT_ONCE = 50
const FILES = [...WIDTHS.map((width) => `${width}.webp`), 'full.webp']

/** Takes assets out of the library that nothing has shown for a day; answers how many. */
export async function removeOrphans(db: Db): Promise<number> {
  return db.transaction(systemContext(), async (tx) => {
    // Locked first, looked at again after: whoever attaches one of them now waits for us and then learns that it is
    // gone.
    const idle = await tx.many(Type.Object({ id: Type.String() }), sql`
      select id from media.asset
      where touched_at < now() - interval '24 hours'
        and not exists (select from media.asset_use where asset_id = asset.id)
      order by touched_at limit ${AT_ONCE} for update skip locked`)
    if (idle.length === 0) return 0
    return tx.run(sql`
      with removed as (
        delete from media.asset where id = any(${idle.map(({ id }) => id)}::uuid[])
          and not exists (select from media.asset_use where asset_id = asset.id) returning key
      )
      insert into media.unclaimed (key, due_at) select key, now() from removed`)
  })
}

/** Removes files that no asset has; answers how many keys. */
export async function removeFiles(db: Db): Promise<number> {
  const storage = mediaStorage.of(db)
  const due = await db.many(Type.Object({ key: Type.String() }), sql`
    update media.unclaimed set due_at = now() + interval '10 minutes' where key = any(array(
      select key from media.unclaimed where due_at <= now() order by due_at limit ${AT_ONCE} for update skip locked))
    returning key`)
  for (const { key } of due) {
    await storage.remove(key, FILES)
    await db.run(sql`delete from media.unclaimed where key = ${key}`)
  }
  return due.length
}
