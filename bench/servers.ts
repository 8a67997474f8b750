// Starts what is measured: the shop as `npm start` runs it, and the bare server beside it. All of it ends with the
// bench.
import { fork, type ChildProcess } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pin } from './machine.ts'
import type { Noted } from './note-statements.ts'

const root = join(import.meta.dirname, '..')

export type Shop = {
  url: string
  pid: number
  /** What the shop sends to PostgreSQL while `act` runs; only of a shop that was started with `noting`. */
  note: (act: () => Promise<void>) => Promise<Noted[]>
  stop: () => Promise<void>
}

export type ShopOptions = {
  pool: number; roles?: string; processes?: number; noting?: boolean; environment?: Record<string, string>
}

/** The shop in production mode on a free port, with all its roles unless told. Resolves when it answers. */
export async function startShop(databaseUrl: string, options: ShopOptions): Promise<Shop> {
  const { pool, roles, processes, noting = false, environment } = options
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const parameters = [...roles ? ['--roles', roles] : [], ...processes ? ['--processes', String(processes)] : []]
  const child = fork(join(root, 'src/main.ts'), parameters, {
    execArgv: noting ? ['--import', join(import.meta.dirname, 'note-statements.ts')] : [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...process.env, NODE_ENV: 'production', UNSAFE_DATABASE: '1', DATABASE_URL: databaseUrl, HOST: '127.0.0.1',
      DATABASE_POOL: String(pool), PORT: String(port), PUBLIC_URL: url, DEMO: '0', LOG_LEVEL: 'error', ...environment,
    },
  })
  pin(child.pid!, 'server')
  await answers(child, `${url}/health`)
  return {
    url, pid: child.pid!,
    async note(act) {
      child.send({ note: 'begin' })
      await act()
      const noted = new Promise<Noted[]>(
        (resolve) => child.once('message', (message: { notes: Noted[] }) => resolve(message.notes))
      )
      child.send({ note: 'end' })
      return noted
    },
    stop: () => stop(child),
  }
}

export type Bare = { url: string; pid: number; stop: () => Promise<void> }

/** A bare Fastify that answers from this file. */
export async function startBare(file: string): Promise<Bare> {
  const child = fork(join(import.meta.dirname, 'bare-server.ts'), [file], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env: { ...process.env, NODE_ENV: 'production' },
  })
  pin(child.pid!, 'server')
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message: { port: number }) => resolve(message.port))
    child.once('exit', (code) => reject(new Error(`The bare server ended with ${code}`)))
  })
  return { url: `http://127.0.0.1:${port}`, pid: child.pid!, stop: () => stop(child) }
}

async function answers(child: ChildProcess, url: string): Promise<void> {
  let ended: number | null | undefined
  child.once('exit', (code) => { ended = code })
  for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
    if (ended !== undefined) throw new Error(`The shop ended with ${ended} before it answered; see above`)
    if (await fetch(url).then((answer) => answer.ok, () => false)) return
    await sleep(50)
  }
  child.kill('SIGKILL')
  throw new Error(`The shop did not answer at ${url} within a minute`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await ended
  clearTimeout(late)
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
