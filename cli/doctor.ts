// kontor doctor: is the shop's data right, is its work done, does its database keep up? It only reads, each check on a
// moment of its own, and says what to do next. What must hold comes from the modules (invariants.ts).
import { parseArgs } from 'node:util'
import shopConfig from '../shop.config.ts'
import { allMigrations } from '../src/migrations.ts'
import type { Db } from '../src/platform/db.ts'
import type { Check, Finding } from './doctor/check.ts'
import { databaseChecks } from './doctor/database.ts'
import { invariantChecks } from './doctor/invariants.ts'
import { serverChecks } from './doctor/server.ts'
import { workChecks } from './doctor/work.ts'
import { withDatabase } from './open-database.ts'
import { UsageError, type Command } from './usage.ts'

const checks: Check[] = [...invariantChecks, ...workChecks, ...databaseChecks, ...serverChecks]
const names = [...new Set(checks.map(({ name }) => name))]

export type Report = { check: string; holds: string; findings: Finding[] }[]

export const doctor: Command = {
  summary: 'Look for what is wrong: data, late work, indexes, settings',
  help: `kontor doctor [--json] [--skip CHECK] [--only CHECK]

It only reads, and may run beside the shop; sums over all orders take some seconds for each million of them.

  --json          everything with up to 100 rows of each finding, for machines
  --skip CHECK    leaves a check out, --only CHECK runs no other; both may be repeated:
                  ${names.slice(0, 7).join(', ')},
                  ${names.slice(7).join(', ')}

Exit status: 0 healthy, or hints only; 1 something is broken; 2 it could not look.`,

  async run(args) {
    const { values: { json = false, skip = [], only = names } } = parseArgs({ args, options: {
      json: { type: 'boolean' }, skip: { type: 'string', multiple: true }, only: { type: 'string', multiple: true },
    } })
    const unknown = [...skip, ...only].find((name) => !names.includes(name))
    if (unknown) throw new UsageError(`There is no check "${unknown}". There are: ${names.join(', ')}.`)
    const wanted = only.filter((name) => !skip.includes(name))
    const report = await withDatabase((db) => examine(db, wanted), { migrated: false })
    process.stdout.write(json ? `${JSON.stringify(summary(report), null, 2)}\n` : drawn(report))
    return findingsOf(report).some(({ broken }) => broken) ? 1 : 0
  },
}

/** Runs the checks of these names. Throws a UsageError when the database holds no shop, or one of another version. */
export async function examine(db: Db, wanted: readonly string[] = names): Promise<Report> {
  const client = await db.dedicated()
  const report: Report = []
  try {
    const { rows: [shop] } = await client.query(`select to_regclass('platform.migration') is not null as there`)
    if (!shop.there) throw new UsageError('There is no shop in this database, so there is nothing to look at.')
    const { rows: done } = await client.query('select module, name from platform.migration')
    const ran = new Set(done.map(({ module, name }) => `${module}/${name}`))
    const missing = allMigrations(shopConfig.plugins).find(({ module, name }) => !ran.has(`${module}/${name}`))
    if (missing) throw new UsageError(
      `The migration ${missing.module}/${missing.name} has not run: start the shop once, then look again.`)
    await client.query('set default_transaction_read_only = on')
    for (const { name, holds, find } of checks.filter(({ name }) => wanted.includes(name))) {
      report.push({ check: name, holds, findings: await find(client) })
    }
    return report
  } finally {
    await client.end()
  }
}

const findingsOf = (report: Report): Finding[] => report.flatMap(({ findings }) => findings)

function summary(report: Report) {
  const findings = findingsOf(report)
  const broken = findings.filter((finding) => finding.broken).length
  return {
    healthy: broken === 0, broken, hints: findings.length - broken,
    checks: report.map(({ findings, ...check }) => ({
      ...check, findings: findings.map((finding) => ({ ...finding, rows: finding.rows?.slice(0, 100) })),
    })),
  }
}

function drawn(report: Report): string {
  const width = Math.max(...report.map(({ check }) => check.length)) + 2
  const lines = report.flatMap(({ check, holds, findings }) => {
    const state = findings.some(({ broken }) => broken) ? 'BROKEN' : findings.length > 0 ? 'hint' : 'ok'
    return [
      `${state.padEnd(8)}${check.padEnd(width)}${holds}`,
      ...findings.flatMap(({ what, next, rows: [first] = [] }) => [
        `${' '.repeat(8)}${what}${first ? `, the first: ${JSON.stringify(first)}` : ''}`, `${' '.repeat(8)}→ ${next}`,
      ]),
    ]
  })
  const { broken, hints, checks } = summary(report)
  const verdict = broken > 0 ? `${broken} broken` : 'Healthy'
  return `${[...lines, '', `${verdict}, ${hints} hints, ${checks.length} checks.`].join('\n')}\n`
}
