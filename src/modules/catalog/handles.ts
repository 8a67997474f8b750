// Handles: the names in addresses. A handle that was given up still leads to its owner, so that a shared link outlives
// a renaming; a present handle always wins over a former one, which lets anybody take a name that nobody uses.
import { Type } from 'typebox'
import { json, sql, type Conn, type Tx } from '../../platform/db.ts'

export type HandleKind = 'product' | 'category' | 'collection'

/**
 * An address-worthy name from a title: 'Crème brûlée, 2 pieces' becomes 'creme-brulee-2-pieces'. Empty when nothing is
 * left.
 */
export function handleFrom(title: string): string {
  return title.replaceAll('ß', 'ss').normalize('NFKD').replace(/\p{M}+/gu, '').toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, 180).replace(/^-+|-+$/g, '')
}

/** A handle from a title that no product has now. A race for it ends in HandleTaken for the second. */
export async function freeProductHandle(conn: Conn, title: string): Promise<string> {
  const wanted = handleFrom(title) || 'product'
  const { handle } = await conn.one(Type.Object({ handle: Type.String() }), sql`
    select ${wanted} || case when free.number = 1 then '' else '-' || free.number end as handle
      from generate_series(1, (select count(*) + 1 from catalog.product
        where handle >= ${wanted} and handle < ${wanted} || '.')) as free (number)
     where not exists (select from catalog.product
        where handle = ${wanted} || case when free.number = 1 then '' else '-' || free.number end)
     order by free.number limit 1`)
  return handle
}

/**
 * Keeps the handles that things had before. `renamed`: old handle and owner. Part of the transaction that renames;
 * asked twice it is the same.
 */
export async function rememberHandles(
  tx: Tx, kind: HandleKind, renamed: readonly { id: string; handle: string }[],
): Promise<void> {
  await tx.run(sql`
    insert into catalog.former_handle (kind, handle, target_id)
    select ${kind}, handle, id from jsonb_to_recordset(${json(renamed)}::jsonb) as renamed (id uuid, handle text)
    on conflict (kind, handle) do update set target_id = excluded.target_id, since = now()`)
}

/** Who had this handle last. */
export async function formerOwner(conn: Conn, kind: HandleKind, handle: string): Promise<string | undefined> {
  const row = await conn.maybe(Type.Object({ id: Type.String() }), sql`
    select target_id as id from catalog.former_handle where kind = ${kind} and handle = ${handle}`)
  return row?.id
}
