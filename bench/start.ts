// From the start of the server process to its first answer, on a database that has its tables and goods. `npm start`
// adds what the bootstrap checks and a PostgreSQL of its own; `npm run fresh` measures it in a clone.
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from './connection.ts'
import { atMost, number, spreadOf, type Outcome } from './outcome.ts'
import { freePort } from './servers.ts'
import type { World } from './world.ts'

const STARTS = 5
const WITHIN_SECONDS = 1

export async function measureStart(world: World): Promise<Outcome> {
  const { db, goods } = await world.ground()
  const seconds: number[] = []
  for (let start = 0; start < STARTS; start++) seconds.push(await startOnce(db.url, goods.terms.key))
  const { median, min, max } = spreadOf(seconds)
  return {
    rows: [], bounds: [atMost('start: seconds to the first product list', median, WITHIN_SECONDS)],
    notes: [`start: ${STARTS} starts, ${number(min)} to ${number(max)} s`],
  }
}

async function startOnce(databaseUrl: string, key: string): Promise<number> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const began = performance.now()
  const child = fork(join(import.meta.dirname, '../src/main.ts'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...process.env, NODE_ENV: 'production', UNSAFE_DATABASE: '1', DATABASE_URL: databaseUrl, HOST: '127.0.0.1',
      PORT: String(port), PUBLIC_URL: url, DEMO: '0', LOG_LEVEL: 'error',
    },
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  try {
    let seconds: number | undefined
    while (child.exitCode === null && performance.now() - began < 30_000) {
      const status = await Connection.open(url).then((connection) =>
        connection.request('GET', '/store/products', `x-publishable-key: ${key}\r\n`)
          .finally(() => connection.close())).then((answer) => answer.status, () => 0)
      if (status === 200) {
        seconds = (performance.now() - began) / 1_000
        break
      }
      await sleep(5)
    }
    await sleep(1_500)      // what it loads after its first answer
    if (seconds !== undefined) return seconds
    throw new Error('The shop did not answer within 30 seconds of its start')
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}
