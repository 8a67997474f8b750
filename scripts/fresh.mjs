// `npm run fresh`: what a stranger gets. Clones HEAD into an empty folder with a space in its name, with an empty home
// folder, and runs the two commands there: cold, again, beside each other, with ports taken, after Ctrl-C and after
// kill -9 of everything. Who is root sees it twice: as root in a folder that only root may enter, and as an ordinary
// user. Options: --skip-tests, --json, --keep. Ends with 1 on a failure.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync, existsSync, lchownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync,
  rmSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const origin = join(import.meta.dirname, '..')
const options = new Set(process.argv.slice(2))
const bounds = { coldStartMs: 60_000, startMs: 2000, recoveryMs: 10_000, stopMs: 10_000, testMs: 1_800_000 }
const running = new Set()                                // of the trial that goes on, for when we are interrupted

/** A stranger's environment: the machine's own Node, an empty home, no settings of ours nor of the npm that runs us. */
function strangersEnvironment(home) {
  const ours = /^(npm_(?!config_(registry|.*proxy|cafile))|NODE_(?!EXTRA)|KONTOR_|(TEST_)?DATABASE_|(PORT|HOST|DEMO)$)/i
  const inherited = Object.entries(process.env).filter(([name]) => !ours.test(name))
  const path = process.env.PATH.split(delimiter).filter((folder) => !/node_modules|\.kontor/.test(folder))
  return { ...Object.fromEntries(inherited), HOME: home, PATH: path.join(delimiter) }
}

function makeTrial(name, account) {
  const base = mkdtempSync(join(tmpdir(), 'kontor fresh '))
  const trial = { name, account, base, clone: join(base, 'a clone'), home: join(base, 'home') }
  mkdirSync(trial.home)
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', origin, trial.clone])
  if (account.uid !== undefined) {
    const files = ['.', ...readdirSync(base, { recursive: true })]
    for (const file of files) lchownSync(join(base, file), account.uid, account.gid)
  }
  chmodSync(base, 0o700)
  return trial
}

/** Runs npm in the clone, in a process group of its own, as a terminal does. */
function npm(trial, ...args) {
  const { uid, gid } = trial.account
  const child = spawn('npm', args, {
    uid, gid, cwd: trial.clone, env: strangersEnvironment(trial.home),
    detached: true, stdio: ['ignore', 'pipe', 'pipe'],
  })
  const run = { child, output: '', began: performance.now(), ended: once(child, 'exit') }
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (run.output += chunk))
  running.add(run)
  child.once('exit', () => running.delete(run))
  return run
}

/** Starts the shop, and gives its address when it has answered, with the time since the command. */
async function start(trial, boundMs) {
  const run = npm(trial, 'start')
  for (; performance.now() - run.began < boundMs + 30_000; await sleep(10)) {
    if (run.child.exitCode !== null) throw new Error(`npm start ended with ${run.child.exitCode}:\n${run.output}`)
    const address = /http:\/\/[\w.-]+:\d+/.exec(run.output)?.[0]
    const answer = address && await fetch(`${address}/health`).catch(() => undefined)
    if (answer?.ok) {
      const tookMs = performance.now() - run.began
      if (tookMs > boundMs) throw new Error(`first answer after ${seconds(tookMs)}, the bound is ${seconds(boundMs)}`)
      return { run, address, tookMs }
    }
  }
  throw new Error(`no answer:\n${run.output}`)
}

/** Ctrl-C: a terminal signals the whole group. Then no process may be left. */
async function interrupt(trial, ...shops) {
  const began = performance.now()
  for (const { run } of shops) process.kill(-run.child.pid, 'SIGINT')
  await Promise.race([Promise.all(shops.map(({ run }) => run.ended)), sleep(bounds.stopMs)])
  while (processesOf(trial).length > 0 && performance.now() - began < bounds.stopMs) await sleep(20)
  const left = processesOf(trial)
  const names = left.map(({ pid, command }) => `${pid} ${command}`)
  if (names.length > 0) throw new Error(`processes are left:\n${names.join('\n')}`)
  return `stopped in ${seconds(performance.now() - began)}, no process left`
}

/** All processes of the clone: those that work in its folder or in its database's, and those started from there. */
function processesOf({ clone }) {
  const database = join(clone, '.kontor/postgres')
  const places = [clone, ...(existsSync(database) ? [realpathSync(database)] : [])]
  const inside = (text) => places.some((place) => text === place || text.includes(`${place}/`))
  if (process.platform !== 'linux') {
    const lines = execFileSync('ps', ['-axww', '-o', 'pid=,command='], { encoding: 'utf8' }).split('\n').filter(inside)
    return lines.map((line) => ({ pid: Number.parseInt(line, 10), command: line.trim() }))
  }
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      const found = inside(command) || inside(readlinkSync(`/proc/${pid}/cwd`))
      return found ? [{ pid: Number(pid), command }] : []
    } catch {
      return []                                          // it ended while we looked
    }
  })
}

async function killEverything(trial) {
  for (let left = processesOf(trial); left.length > 0; left = processesOf(trial)) {
    for (const { pid } of left) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {}                                         // gone with the one before it
    }
    await sleep(20)
  }
}

async function occupy(port) {
  const server = createServer().listen(port, '127.0.0.1')
  await Promise.race([once(server, 'listening'), once(server, 'error')])      // taken by somebody else: as good
  return server
}

async function healthy({ address }) {
  const answer = await fetch(`${address}/health`)
  if (!answer.ok) throw new Error(`${address}/health answers ${answer.status}`)
}

/** The `curl` line that the shop prints, as a person would paste it. */
async function paste(shop) {
  // The shop answers before it greets: the demo is seeded in between.
  const printed = () => /^[ \t]*(curl (?:.*\\\n)*.*)\n/m.exec(shop.run.output)?.[1]
  for (let waited = 0; !printed() && waited < 30_000; waited += 100) await sleep(100)
  const line = printed()
  if (!line) throw new Error(`no curl line is printed:\n${shop.run.output}`)
  if (spawnSync('curl', ['--version']).error) return 'not tried: there is no curl here'
  const strict = line.replace('curl', 'curl --silent --show-error --fail-with-body')
  const answer = execFileSync('sh', ['-c', strict], { encoding: 'utf8' })
  const order = JSON.parse(answer)
  if (!/"(authorized|captured|paid|placed)"/.test(answer)) throw new Error(`the order is not paid: ${answer}`)
  return `order ${order.number ?? order.order?.number ?? order.orderId ?? ''}`
}

function steps(trial) {
  let shop
  const database = () => Number(readFileSync(join(trial.clone, '.kontor/postgres/shop/port'), 'utf8'))
  return {
    'npm start, cold': async () => {
      shop = await start(trial, bounds.coldStartMs)
      return `first answer after ${seconds(shop.tookMs)} at ${shop.address}`
    },
    'the curl line': () => paste(shop),
    ...(options.has('--skip-tests') ? {} : {
      'npm test beside it': async () => {
        const run = npm(trial, 'test')
        const [code] = await Promise.race([run.ended, sleep(bounds.testMs, ['no end'], { ref: false })])
        const summary = run.output.match(/^\S+ (tests|pass|fail) \d+$/gm)?.map((line) => line.slice(2)).join(', ')
        if (code !== 0) throw new Error(`npm test ended with ${code}: ${summary}\n${run.output.slice(-4000)}`)
        await healthy(shop)
        return `${summary} in ${seconds(performance.now() - run.began)}`
      },
    }),
    'npm start twice': async () => {
      const second = await start(trial, bounds.recoveryMs)
      if (second.address === shop.address) throw new Error(`both say ${shop.address}`)
      process.kill(-second.run.child.pid, 'SIGINT')
      await second.run.ended
      await healthy(shop)
      return `the other at ${second.address}; the first goes on when it ends`
    },
    'Ctrl-C': () => interrupt(trial, shop),
    'npm start, again': async () => {
      shop = await start(trial, bounds.startMs)
      return `first answer after ${seconds(shop.tookMs)}`
    },
    'kill -9 of everything': async () => {
      await killEverything(trial)
      shop = await start(trial, bounds.recoveryMs)
      return `first answer after ${seconds(shop.tookMs)}`
    },
    'kill -9 of all but the database': async () => {
      const server = readFileSync(join(trial.clone, '.kontor/postgres/shop/data/postmaster.pid'), 'utf8').split('\n')[0]
      for (const { pid, command } of processesOf(trial)) {
        if (String(pid) !== server && !command.startsWith('postgres:')) process.kill(pid, 'SIGKILL')
      }
      shop = await start(trial, bounds.recoveryMs)
      return `first answer after ${seconds(shop.tookMs)}`
    },
    'ports taken': async () => {
      await interrupt(trial, shop)
      const before = { http: Number(new URL(shop.address).port), database: database() }
      const taken = await Promise.all([before.http, before.database].map(occupy))
      try {
        shop = await start(trial, bounds.recoveryMs)
        const now = { http: Number(new URL(shop.address).port), database: database() }
        if (now.http === before.http || now.database === before.database) throw new Error('it names a taken port')
        return `moved from ${before.http} to ${now.http}, the database from ${before.database} to ${now.database}`
      } finally {
        for (const server of taken) server.close()
      }
    },
    'Ctrl-C, again': () => interrupt(trial, shop),
  }
}

const seconds = (ms) => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`

async function attempt(trial, rows) {
  for (const [name, step] of Object.entries(steps(trial))) {
    const began = performance.now()
    const row = { as: trial.name, step: name, ok: true, seconds: 0, detail: '' }
    try {
      row.detail = await step()
    } catch (error) {
      Object.assign(row, { ok: false, detail: error.message })
    }
    row.seconds = Math.round(performance.now() - began) / 1000
    rows.push(row)
    const [first, ...more] = row.detail.split('\n')
    console.log(`${row.ok ? '✔' : '✖'} ${trial.name.padEnd(13)} ${name.padEnd(32)} ${first}`)
    if (more.length > 0) console.log(more.map((line) => `    ${line}`).join('\n'))
    if (!row.ok && name === 'npm start, cold') break     // nothing else can work
  }
}

async function discard(trial) {
  await killEverything(trial)
  if (options.has('--keep')) return console.log(`Kept: ${trial.base}`)
  const database = join(trial.clone, '.kontor/postgres')
  if (existsSync(database)) rmSync(realpathSync(database), { recursive: true, force: true })
  rmSync(trial.base, { recursive: true, force: true })
}

function accounts() {
  if (process.getuid() !== 0) return [['ordinary user', {}]]
  const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? []
  return [['root', {}], ...(uid ? [['ordinary user', { uid: Number(uid), gid: Number(gid) }]] : [])]
}

const rows = []
let trial
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    if (trial) await discard(trial)
    process.exit(130)
  })
}
for (const [name, account] of accounts()) {
  trial = makeTrial(name, account)
  try {
    await attempt(trial, rows)
  } finally {
    await discard(trial)
  }
}
const violations = rows.filter(({ ok }) => !ok).length
console.log(violations === 0 ? 'Everything works in a fresh clone.' : `${violations} of ${rows.length} steps failed.`)
if (options.has('--json')) console.log(JSON.stringify({ bounds, rows, violations }))
process.exit(violations === 0 ? 0 : 1)
