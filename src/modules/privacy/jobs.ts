// What privacy does by itself: forget who bought what when nobody has to know any more. Carts, messages, sessions and
// logs are forgotten by their own modules: docs/privacy.md has the list.
import { systemContext, type Db } from '../../platform/db.ts'
import { sweep } from '../../platform/events.ts'
import { firstIdOfLast } from '../../platform/id.ts'
import { eraseFromOrders, outlivedOrders } from '../orders/person.ts'
import { eraseFromPayments } from '../payments/person.ts'

// Books are kept for ten years from the end of the year (AO § 147); the eleventh year ends it for every day of one.
const KEPT_DAYS = 11 * 366

async function forgetOldOrders(db: Db): Promise<void> {
  await db.transaction(systemContext(), async (tx) => {
    const ids = await outlivedOrders(tx, firstIdOfLast(KEPT_DAYS), 500)
    if (ids.length === 0) return
    await eraseFromOrders(tx, ids)
    await eraseFromPayments(tx, ids)
  })
}

export const handlers = []
export const sweeps = [sweep('privacy.forget-old-orders', { everySeconds: 3_600 }, forgetOldOrders)]
