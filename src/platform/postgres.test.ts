// The embedded server: shared, found again, started again, and gone when nobody needs it. Root and an
// ordinary user take different ways through the code: `npm run fresh` tries both.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync, existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { checkServerVersion, startPostgres } from './postgres.ts'


/** A folder for servers. The tests share one, since to make a cluster takes a second. */
function freshHome(mode = 0o755): string {
  const folder = mkdtempSync(join(tmpdir(), 'kontor postgres '))
  chmodSync(folder, mode)
  const home = join(folder, 'postgres')
  after(() => {
    if (existsSync(home)) rmSync(realpathSync(home), { recursive: true, force: true })
    rmSync(folder, { recursive: true })
  })
  return home
}

const home = freshHome()

async function ask(url: string, statement: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text: statement, rowMode: 'array' })).rows[0]?.[0]
  } finally {
    await client.end()
  }
}

/** Another process that uses a server until it is killed. */
async function otherUser(options = ''): Promise<ChildProcess> {
  const program = `import { startPostgres } from '${import.meta.resolve('./postgres.ts')}'
    await startPostgres({ home: process.argv[1], ${options} })
    console.log('started')
    setInterval(() => {}, 1000)`
  const stdio: StdioOptions = ['ignore', 'pipe', 'inherit']
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, home], { stdio })
  await once(child.stdout!, 'data')
  return child
}

async function killed(child: ChildProcess) {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

const pidFile = join(home, 'shop/data/postmaster.pid')
const serverPid = () => Number(readFileSync(pidFile, 'utf8').split('\n')[0])

async function gone(pid: number): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(10)) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
  }
  assert.fail(`process ${pid} still runs`)
}

test('keeps its data, its port and its password from start to start, and leaves no process', async (t) => {
  const first = await startPostgres({ home })
  assert.match(String(await ask(first.url, 'show server_version')), /^18\./)
  await ask(first.url, 'create table kept (n int)')
  const pid = serverPid()
  await first.stop()
  await first.stop()
  await gone(pid)
  const second = await startPostgres({ home })
  t.after(() => second.stop())
  assert.equal(second.url, first.url)
  assert.equal(await ask(second.url, 'select count(*)::int from kept'), 0)
  await assert.rejects(ask(second.url.replace(/:[0-9a-f]{64}@/, ':guessed@'), 'select 1'), { code: '28P01' })
  assert.equal(lstatSync(join(home, 'shop/password')).mode & 0o777, 0o600)
})

test('the last of several users, killed or not, takes the server with it', async () => {
  const others = await Promise.all([otherUser(), otherUser(), otherUser()])    // each may be the one that starts it
  const ours = await startPostgres({ home })
  const pid = serverPid()
  await killed(others[0]!)
  await ours.stop()
  await killed(others[1]!)
  await sleep(100)
  assert.equal(await ask(ours.url, 'select 1'), 1)
  await killed(others[2]!)
  await gone(pid)
})

test('an orphan of a kill -9 of everything is adopted', async () => {
  const other = await otherUser()
  const pid = serverPid()
  if (process.platform === 'linux') await killKeeper()
  await killed(other)
  const ours = await startPostgres({ home })
  if (process.platform === 'linux') assert.equal(serverPid(), pid)
  await ours.stop()
  await gone(pid)
})

test('a user whose keeper is killed takes the server with it all the same', async (t) => {
  if (process.platform !== 'linux') return t.skip('keepers are found in /proc')
  const ours = await startPostgres({ home })
  const pid = serverPid()
  await gone(await killKeeper())
  await ours.stop()
  await gone(pid)
})

async function killKeeper(): Promise<number> {
  const file = join(realpathSync(home), 'shop/data/postmaster.pid')
  for (const pid of readdirSync('/proc').filter(Number)) {
    const read = (name: string) => existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/${name}`, 'utf8')
    if (!(read('cmdline') || '').includes(`\0${file}\0`)) continue
    process.kill(Number(pid), 'SIGKILL')
    return Number(pid)
  }
  return assert.fail('there is no keeper')
}

test('a killed server is started again under the same address', async (t) => {
  const ours = await startPostgres({ home })
  t.after(() => ours.stop())
  process.kill(serverPid(), 'SIGKILL')
  for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
    const answer = await ask(ours.url, 'select 1').catch((error) => error)
    if (answer === 1) break
    assert.ok(Date.now() < deadline, String(answer))
  }
})

test('a pid file that names a stranger, and a port that was taken meanwhile, do not hinder', async (t) => {
  const first = await startPostgres({ home })
  await first.stop()
  writeFileSync(pidFile, `${process.pid}\n${home}/shop/data\n1\n${first.port}\n\n127.0.0.1\n\nready\n`)
  const taken = createServer().listen(first.port, '127.0.0.1')
  await once(taken, 'listening')
  t.after(() => taken.close())
  const second = await startPostgres({ home })
  t.after(() => second.stop())
  assert.notEqual(second.port, first.port)
  assert.equal(await ask(second.url, 'select 1'), 1)
})

test('a throw-away cluster is gone afterwards, also that of a killed process', async () => {
  await killed(await otherUser('throwaway: true'))
  const ours = await startPostgres({ home, throwaway: true })
  assert.equal(await ask(ours.url, 'show fsync'), 'off')
  assert.equal(readdirSync(home).filter((name) => name.startsWith('test-')).length, 1)
  await ours.stop()
  assert.deepEqual(readdirSync(home).filter((name) => /^(test|draft)-/.test(name)), [])
})

const skip = process.getuid?.() !== 0
test('root: another account runs it, and where that cannot enter, the data lies elsewhere', { skip }, async (t) => {
  assert.equal(realpathSync(home), home)
  assert.notEqual(lstatSync(home).uid, 0)
  const closed = freshHome(0o700)
  const outside = await startPostgres({ home: closed, throwaway: true })
  t.after(() => outside.stop())
  assert.notEqual(realpathSync(closed), closed)
  assert.equal(lstatSync(realpathSync(closed)).mode & 0o777, 0o700)
  assert.equal(await ask(outside.url, 'select 1'), 1)
})

test('a server of the merchant is checked, and the message says what to do without the password', async (t) => {
  const silent = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close())
  const { port } = silent.address() as { port: number }
  await assert.rejects(checkServerVersion(`postgres://shop:secret-word@127.0.0.1:${port}/shop`), (error: Error) => {
    assert.ok(error.message.startsWith(`DATABASE_URL cannot be reached (127.0.0.1:${port}, database shop, user shop)`))
    return !error.message.includes('secret-word')
  })
  const ours = await startPostgres({ home: home, throwaway: true })
  t.after(() => ours.stop())
  await checkServerVersion(ours.url)
  await ask(ours.url, "create database latin encoding 'LATIN1' locale 'C' template template0")
  await assert.rejects(checkServerVersion(ours.url.replace(/kontor$/, 'latin')), /LATIN1.*encoding 'UTF8'/)
})
