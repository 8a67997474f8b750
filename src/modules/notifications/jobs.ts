// What notifications do by themselves: send what is due, and forget what is old.
import { sql, type Db } from '../../platform/db.ts'
import { sweep } from '../../platform/events.ts'
import { firstIdOfLast } from '../../platform/id.ts'
import { sendMessages } from './send-messages.ts'

// Long enough to answer "I got no mail"; what orders and accounts are is kept by their own modules.
async function forgetOldMessages(db: Db): Promise<void> {
  await db.run(sql`delete from notifications.message where id = any(array(
    select id from notifications.message
    where id < ${firstIdOfLast(29)} and created_at < now() - interval '30 days' and state <> 'waiting'
    order by id limit 10000 for update skip locked))`)
}

export const handlers = []

export const sweeps = [
  sweep('notifications.send', { everySeconds: 1 }, sendMessages),
  sweep('notifications.forget', { everySeconds: 300 }, forgetOldMessages),
]
