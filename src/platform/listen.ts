// Hears at once that another process committed something (Db wakes the others after such a commit). A poll stands
// behind it, so a lost connection costs time and nothing else.
import { giveUp, type Db } from './db.ts'

// A link that broke in silence looks like one on which nothing happens: so it is asked now and then, and has to answer.
const ASK_EVERY_MS = 10_000

/**
 * Calls `onWake` whenever a process committed something that others should hear of. Reconnects by itself; a poll stands
 * behind it.
 */
export async function listenForWakes(db: Db, onWake: () => void): Promise<() => Promise<void>> {
  let stopped = false
  let client: Awaited<ReturnType<Db['dedicated']>> | undefined
  let timer: NodeJS.Timeout | undefined
  const connect = async (): Promise<void> => {
    try {
      client = await db.dedicated()
      client.on('notification', onWake)
      client.on('end', retry)
      await client.query('listen kontor_wake')
      onWake()
    } catch {
      retry()
    }
  }
  const retry = (): void => {
    if (!stopped) timer ??= setTimeout(() => { timer = undefined; void connect() }, 1_000).unref()
  }
  await connect()
  let unanswered: typeof client
  const asking = setInterval(() => {
    const asked = client
    if (!asked) return
    if (unanswered === asked) giveUp(asked)
    unanswered = asked
    asked.query('select 1').then(() => { unanswered = undefined }, () => {})
  }, ASK_EVERY_MS).unref()
  return async () => {
    stopped = true
    clearTimeout(timer)
    clearInterval(asking)
    await client?.end().catch(() => {})
  }
}
