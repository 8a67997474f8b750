// The program: `npm start`. Runs the shop in this process, or in several with `--processes N`. All roles, or some:
// `--roles store` (or admin, worker, collector, with commas).
import cluster from 'node:cluster'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { keepYoungHeapSmall } from './platform/young-heap.ts'

// What Node makes of our files is kept: the next start is half as long and takes 30 MB less.
enableCompileCache(process.env['NODE_COMPILE_CACHE'] ?? join(import.meta.dirname, '../.kontor/compile-cache'))

keepYoungHeapSmall()
const MAX_PROCESSES = 64
const roleNames = ['store', 'admin', 'worker', 'collector']

try {
  const { values } = parseArgs({ options: { roles: { type: 'string' }, processes: { type: 'string', default: '1' } } })
  const roles = values.roles?.split(',')
  const unknown = roles?.find((role) => !roleNames.includes(role))
  if (unknown !== undefined) throw new Error(`--roles: "${unknown}" is no role of ${roleNames.join(', ')}.`)
  const processes = Number(values.processes)
  if (!(Number.isInteger(processes) && processes >= 1 && processes <= MAX_PROCESSES)) {
    throw new Error(`--processes: give a whole number from 1 to ${MAX_PROCESSES}; a process a core is a good one.`)
  }
  if (processes > 1 && cluster.isPrimary) (await import('./platform/processes.ts')).supervise(processes)
  else (await import('./start.ts')).run(roles as import('./plugin.ts').RoleName[] | undefined)
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 2
}
