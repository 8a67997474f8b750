// The audit log's chain: twice a second what was committed is sealed, each entry with a hash over itself and all before
// it (platform.seal_audit). `kontor doctor` seals anew and compares: invariant I13. Where a write came from is
// forgotten after a year; the chain holds without it.
import { Type } from 'typebox'
import { sql, type Db } from './db.ts'
import type { Sweep } from './events.ts'
import { firstIdOfLast } from './id.ts'

// About 50 ms of work, so that an import of thousands of writes does not hold the head for long.
const AT_ONCE = 1_000

export const sealAudit: Sweep = {
  name: 'platform.seal-audit', everySeconds: 0.5,
  async run(db: Db) {
    for (let sealed = AT_ONCE; sealed === AT_ONCE;) {
      ({ sealed } = await db.one(
        Type.Object({ sealed: Type.Integer() }), sql`select platform.seal_audit(${AT_ONCE}) as sealed`))
    }
  },
}

export const forgetOrigins: Sweep = {
  name: 'platform.forget-origins', everySeconds: 3_600,
  run: (db) => db.run(sql`delete from platform.audit_origin where entry_id = any(array(
    select entry_id from platform.audit_origin where entry_id < ${firstIdOfLast(365)}::uuid
    order by entry_id limit 10000 for update skip locked))`),
}
