// The shop is saved while it sells, its database is lost, and the backup is loaded into another: what was acknowledged
// before the backup began is there, the books agree, and it sells on. What came later is lost, as with every backup.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../../bench/random.ts'
import { writeBackup } from '../../cli/backup.ts'
import { restoreBackup, verifyBackup } from '../../cli/restore.ts'
import { findBroken } from '../../src/invariants.ts'
import { Db } from '../../src/platform/db.ts'
import { compareWithJournal, judge } from '../check.ts'
import { Crowd } from '../customers.ts'
import { Journal, type Entry } from '../journal.ts'
import type { Programme, Round } from '../programme.ts'
import { openStage, runScript, type Stage } from '../stage.ts'

const CUSTOMERS = 6
const PURCHASES = 3
const KEPT_AT_LEAST = 10

export const restore: Programme = {
  name: 'restore', about: 'a database that is lost, and a backup of it that was made under load', unit: 'restores',
  counts: { full: 50, quick: 2 },
  // Sabotaged is the restored database: as if the backup had lost something.
  open: async (sabotage = []) => ({
    async round(seed) {
      const stage = await openStage(seed)
      try {
        return await loseAndRestore(stage, seed, sabotage)
      } finally {
        await stage.close()
      }
    },
    close: async () => {},
  }),
}

async function loseAndRestore(stage: Stage, seed: number, sabotage: readonly string[]): Promise<Round> {
  const random = randomFrom(seed)
  await stage.startShop()
  const crowd = new Crowd(stage, random)
  crowd.start(CUSTOMERS)
  while (crowd.orders < KEPT_AT_LEAST) await sleep(20)
  await sleep(500 * random())
  const known = stage.journal.read()
  const file = join(stage.folder, 'backup.tar')
  await writeBackup(stage.db, file)
  await sleep(300 * random())
  await crowd.stop()
  const before = [...crowd.complaints, ...await judge(stage)]
  await stage.stopShop()
  const restored = await restoreInto(stage, file, sabotage)
  try {
    const after = [
      ...await findBroken(restored), ...await compareWithJournal(restored, known), ...await sells(stage, restored),
    ]
    const violations = [...before, ...after.map((what) => `after the restore: ${what}`)]
    return { count: 1, violations, figures: { orders: crowd.orders, kept: countOrders(known) } }
  } finally {
    await restored.close()
  }
}

const countOrders = (entries: Entry[]): number =>
  entries.filter(({ what, status }) => what === 'complete' && status === 201).length

async function restoreInto({ db }: Stage, file: string, sabotage: readonly string[]): Promise<Db> {
  await runScript(db, 'create database restored template template0')
  const url = new URL(db.url)
  url.pathname = '/restored'
  const restored = new Db({ url: url.href, max: 4 })
  await restoreBackup(restored, file, await verifyBackup(file))
  await runScript(restored, ...sabotage)
  return restored
}

/** A shop on the restored database takes orders, and its books still agree. */
async function sells(stage: Stage, restored: Db): Promise<string[]> {
  await stage.startShop({ databaseUrl: restored.url })
  const journal = new Journal(join(stage.folder, 'after-restore.jsonl'))
  const crowd = new Crowd({ url: stage.url, terms: stage.terms, journal }, randomFrom(1), { scarce: 0 })
  for (let purchase = 0; purchase < PURCHASES; purchase++) await crowd.buy()
  await stage.stopShop()
  journal.close()
  const none = crowd.orders < PURCHASES ? [`${PURCHASES} wanted to buy, and ${crowd.orders} could`] : []
  return [...crowd.complaints, ...none, ...await findBroken(restored)]
}
