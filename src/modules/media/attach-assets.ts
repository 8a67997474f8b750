// Who shows which asset. Whoever shows assets says what it shows now, as a whole: saying it twice is the same, and
// nothing is counted that could drift.
import { json, sql, type Tx } from '../../platform/db.ts'
import './media.ts'   // knows what a violated asset_use_asset means

/** What something shows: `usedBy` names it, as 'product:<id>'. */
export type AssetUse = { usedBy: string; assetIds: readonly string[] }

/**
 * From now on each of these users shows exactly these assets; an empty list detaches all of its assets. One statement
 * for any number of users. Throws AssetNotFound, also for an asset that is being removed at this moment.
 */
export async function attachAssets(tx: Tx, uses: readonly AssetUse[]): Promise<void> {
  if (uses.length === 0) return
  const pairs = uses.flatMap(({ usedBy, assetIds }) =>
    [...new Set(assetIds)].map((assetId) => ({ used_by: usedBy, asset_id: assetId })))
  await tx.run(sql`
    with wanted as (
      select used_by, asset_id from jsonb_to_recordset(${json(pairs)}::jsonb) as pair (used_by text, asset_id uuid)
    ), dropped as (
      delete from media.asset_use where used_by = any(${uses.map(({ usedBy }) => usedBy)}::text[])
        and (used_by, asset_id) not in (select used_by, asset_id from wanted) returning asset_id
    ), added as (
      insert into media.asset_use (used_by, asset_id) select used_by, asset_id from wanted order by asset_id, used_by
      on conflict do nothing returning asset_id
    )
    update media.asset set touched_at = now()
    where id in (select asset_id from dropped union select asset_id from added)`)
}
