// `npm test`: types and all tests, on a PostgreSQL of its own that is gone afterwards. `npm test -- src/modules/orders`
// runs a part: paths of files and folders, or options of `node --test`. Two runs at once, or beside a running shop, do
// not meet: each has its own server.
import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdirSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../src/platform/postgres.ts'

const folders = ['src', 'chaos', 'security', 'cli', 'plugins', 'demo', 'sdk', 'scripts']
// Sabotaged shops take ten minutes, and chance decides when it is noticed: npm test -- chaos/broken.test.ts runs them.
const LONG = ['chaos/broken.test.ts']
const tests = (folder) => globSync(`${folder}/**/*.test.{ts,mjs}`, { exclude: (name) => name === 'node_modules' })
const children = new Set()

/** Runs a program of ours with this Node, and gives its exit code. It ends with us, as we end with the bootstrap. */
function node(args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...process.execArgv, ...args], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'], env: { ...process.env, ...env },
    })
    children.add(child)
    child.once('exit', (code) => resolve(children.delete(child) && (code ?? 1)))
  })
}

const given = process.argv.slice(2)
const options = given.filter((argument) => argument.startsWith('-'))
const paths = given.filter((argument) => !argument.startsWith('-'))
const files = paths.length === 0
  ? [...globSync('*.test.mjs'), ...folders.flatMap(tests)].filter((file) => !LONG.includes(file))
  : paths.flatMap((path) => (existsSync(path) && statSync(path).isDirectory() ? tests(path) : globSync(path)))
if (files.length === 0) {
  console.error(`There is no test in ${paths.join(', ')}`)
  process.exit(1)
}
const whole = given.length === 0

let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true
    for (const child of children) child.kill('SIGTERM')
  })
}

// The types are checked while the server is being made: two cores, two things to do.
const [postgres, types] = await Promise.all([
  startPostgres({ throwaway: true }),
  whole ? node(['node_modules/typescript/bin/tsc', '--noEmit']) : 0,
])
try {
  const statements = join(postgres.folder, 'statements')             // goes with the cluster, also after a kill -9
  mkdirSync(statements)
  const env = { TEST_DATABASE_URL: postgres.url, KONTOR_STATEMENTS_DIR: statements }
  // A test waits for the database for half of its time, so that three at once keep two cores busy.
  const concurrency = Math.ceil(availableParallelism() * 1.5)
  // A file that hangs is a failure, and says which it is.
  const patience = whole ? ['--test-timeout=600000'] : []
  const suite = ['--test', `--test-concurrency=${concurrency}`, ...patience, ...options, ...files]
  const passed = !interrupted && await node(suite, env) === 0
  // Statements that no test has run can only be told when all tests have run.
  const checked = !whole || !passed || await node(['scripts/statements-check.mjs'], env) === 0
  if (types !== 0) console.error('The types are wrong: see above.')
  process.exitCode = interrupted ? 130 : Number(types !== 0 || !passed || !checked)
} finally {
  await postgres.stop()
}
process.exit()
