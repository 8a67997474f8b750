// Hears at once that another process committed something (Db wakes the others after such a commit). A poll stands
// behind it, so a lost connection costs time and nothing else.
import type { Db } from './db.ts'

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
  return async () => {
    stopped = true
    clearTimeout(timer)
    await client?.end().catch(() => {})
  }
}
