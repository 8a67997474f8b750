// The version before and this one take turns on one database under load, forwards and back: the next is started beside
// the former, customers are sent to it, and the former ends in order and soon. No request may fail over it. The version
// before is the oldest commit whose migrations are those of now: further back, the way leads through a restore.
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../../bench/random.ts'
import { judge } from '../check.ts'
import { Crowd } from '../customers.ts'
import type { Programme } from '../programme.ts'
import { openStage } from '../stage.ts'

const CUSTOMERS = 6
const ENDS_WITHIN_MS = 5_000
const clone = join(import.meta.dirname, '../..')

export const upgrade: Programme = {
  name: 'upgrade', about: 'the version before and this one in turn, under load', unit: 'changes',
  counts: { full: 200, quick: 2 },
  async open(sabotage) {
    const stage = await openStage(9, sabotage)
    const before = join(stage.folder, 'before')
    checkOut(oldestWithTheseMigrations(), before)
    await stage.startShop({ root: before })
    return {
      async round(seed) {
        const random = randomFrom(seed)
        const crowd = new Crowd(stage, random, { faults: ['', '', 'webhook_late', 'charge_then_drop'] })
        crowd.start(CUSTOMERS)
        const disorderly: string[] = []
        let slowestEndMs = 0
        for (const root of [clone, before]) {
          await sleep(300 + 700 * random())
          const { code, endedAfterMs } = await stage.replaceShop({ root })
          if (root === clone) continue               // the one before may have had faults that this one has not
          slowestEndMs = endedAfterMs
          if (code !== 0 || endedAfterMs > ENDS_WITHIN_MS) {
            disorderly.push(`the shop ended with ${code} and took ${endedAfterMs} ms for it`)
          }
        }
        await crowd.stop()
        const failed = crowd.failures.map((what) => `a request failed during a change of versions: ${what}`)
        return {
          count: 2, violations: [...disorderly, ...failed, ...crowd.complaints, ...await judge(stage)],
          figures: { orders: crowd.orders, slowestEndMs },
        }
      },
      close: () => stage.close(),
    }
  },
}

const git = (...args: string[]): Buffer => execFileSync('git', args, { cwd: clone, maxBuffer: 1 << 28 })

function oldestWithTheseMigrations(): string {
  return git('log', '-1', '--format=%H', '--', 'src/**/migrations/*.sql', 'plugins/**/migrations/*.sql')
    .toString().trim()
}

/** The files of a commit, with the packages of this one. */
function checkOut(commit: string, folder: string): void {
  mkdirSync(folder)
  execFileSync('tar', ['-x', '-C', folder], { input: git('archive', commit) })
  symlinkSync(join(clone, 'node_modules'), join(folder, 'node_modules'))
}
