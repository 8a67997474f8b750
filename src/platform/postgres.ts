// A PostgreSQL of our own for who has none: the real server, from npm, shared by the processes of a clone. Who uses it
// holds the named pipe `users` open. A keeper (`sh`, one megabyte) reads at its other end, and when the kernel tells it
// that the last user is gone, by `stop()`, a crash or kill -9, it stops the server: there is no count that could be
// wrong. If the keeper was killed too, the next start adopts the orphaned server. Two that start it at once need no
// lock, because PostgreSQL lets one server run on a cluster, and the other joins it.
import { execFileSync, spawn } from 'node:child_process'
import {
  closeSync, constants, copyFileSync, existsSync, openSync, readFileSync, readlinkSync, rmSync, statSync, truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import {
  createCluster, environment, installPrograms, leftovers, type Owner, settle, throwawayName,
} from './postgres-cluster.ts'

export type Postgres = {
  /** For the superuser `kontor` and the database `kontor`, which exists. */
  url: string
  port: number
  /** Of its cluster: `data`, and `server.log`. */
  folder: string
  /** Ends our use, and waits for the end of the server when nobody else uses it. Asked twice, it does nothing. */
  stop(): Promise<void>
}

type Options = {
  /** Where programs and clusters lie; `.kontor/postgres` of this clone. */
  home?: string
  /** A throw-away cluster is new, belongs to this process, and is deleted when it stops. */
  throwaway?: boolean
  /** Whether a commit survives a power failure; a throw-away cluster need not, unless speed is measured on it. */
  fsync?: boolean
  log?: (line: string) => void
}

type Server = {
  cluster: string
  programs: string
  owner: Owner
  throwaway: boolean
  fsync: boolean
  log: (line: string) => void
  /** The file descriptor of our end of `users`. */
  held?: number
  left?: true
}

const ownHome = join(import.meta.dirname, '../../.kontor/postgres')
const startTimeoutMs = 300_000                         // recovery after a crash replays up to a gigabyte of log
const logLimitBytes = 8 << 20                          // twice that on the disk at most: the file and the one before it
const settings = {
  listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: 200, shared_buffers: '128MB', jit: 'off',
  wal_compression: 'on', random_page_cost: 1.1, timezone: 'UTC', log_timezone: 'UTC', log_line_prefix: '%m [%p] ',
}
// Neither the statement nor the row that broke a constraint belongs into a log: both hold personal data.
const discreet = { log_min_error_statement: 'panic', log_error_verbosity: 'terse' }
const fleeting = {
  fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_wal_size: '4GB', max_connections: 400,
}

/** Starts the server, or joins the one that runs. Throws when PostgreSQL cannot run here, with what it said. */
export async function startPostgres(options: Options = {}): Promise<Postgres> {
  const { home = ownHome, throwaway = false, fsync = !throwaway, log = () => {} } = options
  if (process.platform === 'win32') {
    throw new Error('On Windows, run Kontor in WSL, or set DATABASE_URL to a PostgreSQL of yours, 15 or newer.')
  }
  const { place, owner } = settle(home)
  await removeLeftovers(place)
  const programs = installPrograms(place, owner)
  const cluster = join(place, throwaway ? throwawayName() : 'shop')
  if (!existsSync(cluster)) log('Creating the database')
  createCluster(cluster, programs, throwaway, owner)

  const server: Server = { cluster, programs, owner, throwaway, fsync, log }
  const port = await serve(server)
  const password = readFileSync(join(cluster, 'password'), 'utf8')
  const url = (database: string) => `postgres://kontor:${password}@127.0.0.1:${port}/${database}`
  if (!existsSync(join(cluster, 'created'))) {
    await createDatabase(url('postgres'))
    writeFileSync(join(cluster, 'created'), '')
  }
  const watch = watchServer(server, port)
  let stopped: Promise<void> | undefined
  return { url: url('kontor'), port, folder: cluster, stop: () => (stopped ??= leave(server, watch)) }
}

/** Refuses a server out of reach, older than PostgreSQL 15 or not in UTF-8, saying what to do, never the password. */
export async function checkServerVersion(url: string, { durable = false } = {}): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  const at = `${client.host}:${client.port}, database ${client.database}, user ${client.user}`
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows: [row] } = await client.query(
      `select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
              current_setting('server_encoding') as encoding, current_setting('fsync') as fsync`)
    if (row.number < 150_000) {
      throw new Error(`DATABASE_URL is PostgreSQL ${row.version} (${at}). Kontor needs 15 or newer: upgrade it, ` +
        'or leave DATABASE_URL out to use the one that comes with Kontor.')
    }
    if (row.encoding !== 'UTF8') {
      throw new Error(`DATABASE_URL is a database in ${row.encoding} (${at}). Create one with: ` +
        "create database kontor encoding 'UTF8' template template0")
    }
    if (durable && row.fsync === 'off') {
      throw new Error(`DATABASE_URL is a server with fsync = off (${at}): a power cut can destroy the shop. ` +
        'Set fsync = on and restart it. For a measurement that nobody minds: UNSAFE_DATABASE=1.')
    }
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('DATABASE_URL')) throw error
    const reason = error instanceof Error ? error.message || String((error as { code?: string }).code) : String(error)
    throw new Error(`DATABASE_URL cannot be reached (${at}): ${reason}. ` +
      'Is the server running, and are user and password right?')
  } finally {
    await client.end().catch(() => {})
  }
}

async function createDatabase(url: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('create database kontor').catch((error) => {
    if (error.code !== '42P04' && error.code !== '23505') throw error      // another process made it at the same time
  })
  await client.end()
}

// --- The server process --------------------------------------------------------------------------------------------

/** Makes the server run, starting it when it does not, and holds it. Gives its port. */
async function serve(server: Server): Promise<number> {
  const deadline = Date.now() + startTimeoutMs
  let launched: { ended: boolean } | undefined
  for (let failures = 0; Date.now() < deadline && !server.left; await sleep(5)) {
    const found = findServer(server.cluster)
    if (found?.status === 'ready') {
      hold(server)
      // The last user of a server that we join may have left just now: then it says so in a moment.
      if (!launched) await sleep(20)
      if (findServer(server.cluster)?.status !== 'ready') continue
      writeFileSync(join(server.cluster, 'port'), String(found.port))
      return found.port
    }
    if (found || launched?.ended === false) continue
    if (launched && ++failures === 10) break
    await sleep(failures * 100)                // a port that was taken, or backends of a killed server that still end
    launched = await launch(server, failures === 0)
  }
  const log = join(server.cluster, 'server.log')
  throw new Error(`PostgreSQL does not start. The end of ${log}:\n${lastLines(log)}`)
}

async function launch({ cluster, programs, owner, throwaway, fsync }: Server, samePort: boolean) {
  const data = join(cluster, 'data')
  const pidFile = join(data, 'postmaster.pid')
  // PostgreSQL overrides the pid file of a dead server, unless the number has gone to another process, or the dead was
  // never reaped.
  if (existsSync(pidFile) && !findServer(cluster)) rmSync(pidFile, { force: true })
  const port = await choosePort(samePort ? Number(readIfThere(join(cluster, 'port')) ?? 0) : 0)
  const chosen = Object.entries({ ...settings, ...(throwaway ? {} : discreet), ...(fsync ? {} : fleeting) })
  const options = chosen.flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const log = openSync(join(cluster, 'server.log'), 'a', 0o600)
  const child = spawn(join(programs, 'bin/postgres'), ['-D', data, '-p', String(port), ...options], {
    ...owner, cwd: '/', env: environment(), detached: true, stdio: ['ignore', log, log],
  })
  closeSync(log)
  const launched = { ended: false }
  child.once('exit', () => (launched.ended = true))
  child.once('error', () => (launched.ended = true))
  child.unref()
  return launched
}

/** The wanted port when it is free, or any free one. If somebody is faster still, the server ends: we choose again. */
function choosePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error) => (wanted === 0 ? reject(error) : resolve(choosePort(0))))
    // Exclusive: one of several processes must not ask for the port as one that they share.
    probe.listen({ port: wanted, host: '127.0.0.1', exclusive: true }, () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** The server that runs on this cluster, if any: what `postmaster.pid` says, unless it is about a dead one. */
function findServer(cluster: string): { pid: number; port: number; status: string } | undefined {
  const data = join(cluster, 'data')
  const lines = readIfThere(join(data, 'postmaster.pid'))?.split('\n') ?? []
  const pid = Number(lines[0])
  if (!pid || !serves(pid, data)) return undefined
  return { pid, port: Number(lines[3]), status: lines[7]?.trim() ?? 'starting' }
}

/** Whether that process is a server of that folder: the pid alone may belong to anybody by now. */
function serves(pid: number, data: string): boolean {
  try {
    if (process.platform === 'linux') return readlinkSync(`/proc/${pid}/cwd`) === data
    const command = execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
    return command.includes(` -D ${data} `)
  } catch {
    return false
  }
}

/** Counts us among the users, and sees to it that there is a keeper. Asked twice, it does no harm. */
function hold(server: Server) {
  const users = join(server.cluster, 'users')
  const before = server.held
  try {
    server.held = openSync(users, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error   // ENXIO: nobody reads, there is no keeper
    const both = openSync(users, constants.O_RDWR)                       // so that neither of the next two has to wait
    const reading = openSync(users, constants.O_RDONLY)
    server.held = openSync(users, constants.O_WRONLY)
    closeSync(both)
    const pidFile = join(server.cluster, 'data/postmaster.pid')
    spawn('sh', ['-c', 'read -r _; kill -INT "$(head -n 1 "$0")"', pidFile], {
      ...server.owner, cwd: '/', env: environment(), detached: true, stdio: [reading, 'ignore', 'ignore'],
    }).unref()
    closeSync(reading)
  }
  if (before !== undefined) closeSync(before)
}

/** Starts the server again when it was killed, on the same port, so that pools find it again. Keeps its log small. */
function watchServer(server: Server, port: number): NodeJS.Timeout {
  const log = join(server.cluster, 'server.log')
  let busy = false
  let told = ''
  return setInterval(async () => {
    if (busy) return
    busy = true
    try {
      if (statSync(log).size > logLimitBytes) {
        copyFileSync(log, `${log}.before`)
        truncateSync(log)
      }
      if (!findServer(server.cluster)) {
        server.log('PostgreSQL is gone: starting it again')
        const now = await serve(server)
        if (now !== port) server.log(`PostgreSQL had to move to port ${now}: restart Kontor`)
      }
    } catch (error) {
      if (!server.left && told !== String(error)) server.log((told = String(error)))
    }
    busy = false
  }, 1000).unref()
}

async function leave(server: Server, watch: NodeJS.Timeout) {
  clearInterval(watch)
  server.left = true
  const ours = findServer(server.cluster)
  // The keeper may have been killed, or was just dying when we came: without another one the server would stay.
  if (ours && !server.throwaway) hold(server)
  if (server.held !== undefined) closeSync(server.held)
  if (ours && server.throwaway) process.kill(ours.pid, 'SIGQUIT')
  // The keeper stops it within milliseconds, unless somebody else uses it.
  for (const patience = Date.now() + 300; ; await sleep(5)) {
    const found = findServer(server.cluster)
    if (!found || found.pid !== ours?.pid || (found.status !== 'stopping' && Date.now() > patience)) break
  }
  if (server.throwaway) rmSync(server.cluster, { recursive: true, force: true })
}

/** What killed processes left: drafts, and throw-away clusters, whose server may still run. */
async function removeLeftovers(place: string) {
  for (const folder of leftovers(place)) {
    const server = findServer(folder)
    if (server) process.kill(server.pid, 'SIGQUIT')
    while (findServer(folder)) await sleep(5)
    rmSync(folder, { recursive: true, force: true })
  }
}

const lastLines = (file: string) => (readIfThere(file) ?? '').trimEnd().split('\n').slice(-10).join('\n')

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
