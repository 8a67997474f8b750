// The program as it is started: several processes of it share a port, see each change, and replace one that dies.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { saveChannel } from './modules/catalog/channels.ts'
import { createPublishableKey } from './modules/identity/api-keys.ts'
import { systemContext } from './platform/db.ts'
import { newId } from './platform/id.ts'
import { testDatabase, type Cleanup } from './platform/testing.ts'

const program = join(import.meta.dirname, 'main.ts')
const environment = {
  ...process.env, NODE_ENV: 'development', DEMO: '0', PORT: '0', LOG_LEVEL: 'error', DATABASE_POOL: '8',
}

async function start(t: Cleanup, databaseUrl: string, ...args: string[]) {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...environment, DATABASE_URL: databaseUrl }, stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => { said += text })
  for (const deadline = Date.now() + 30_000; !/API reference +\S+\/docs/.test(said);) {
    assert.ok(Date.now() < deadline && child.exitCode === null, said)
    await sleep(50)
  }
  const url = /API reference +(\S+)\/docs/.exec(said)![1]!
  return { child, url, said: () => said }
}

/** Whose answer it is: request ids begin with a mark of the process. */
const markOf = (answer: Response): string => answer.headers.get('x-request-id')!.split('-')[0]!

async function eventually(what: string, withinMs: number, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + withinMs; !await holds();) {
    assert.ok(Date.now() < deadline, `${what} did not happen within ${withinMs} ms`)
    await sleep(20)
  }
}

test('two processes behind one port: each sees a change, one that is killed is replaced', async (t) => {
  const db = await testDatabase(t)
  const channel = {
    code: 'web', name: 'Web', currencies: ['EUR'], defaultCurrency: 'EUR', defaultLocale: 'en', country: 'DE',
    pricesIncludeTax: true,
  }
  const channelId = newId()
  const { key } = await db.transaction(systemContext(), async (tx) => {
    await saveChannel(tx, channelId, channel)
    return { key: await createPublishableKey(tx, newId(), { name: 'test', channelId }) }
  })
  const { child, url, said } = await start(t, db.url, '--processes', '2')
  const ask = () => fetch(`${url}/store/channel`, {
    headers: { 'x-publishable-key': key, connection: 'close' }, signal: AbortSignal.timeout(2_000),
  })
  const askEach = async () => {
    const names = new Map<string, string>()
    for (let asked = 0; asked < 8; asked++) {
      // A connection that was just handed to the one that is killed dies with it.
      const answer = await ask().catch(() => undefined)
      if (answer) names.set(markOf(answer), (await answer.json() as { name: string }).name)
    }
    return names
  }
  await eventually('two processes answering', 20_000, async () => (await askEach()).size === 2)
  await db.transaction(systemContext(), (tx) => saveChannel(tx, channelId, { ...channel, name: 'Renamed' }))
  await eventually('the new name everywhere', 20_000, async () =>
    [...(await askEach()).values()].every((name) => name === 'Renamed'))

  const before = [...(await askEach()).keys()]
  const [, second] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')
  process.kill(Number(second), 'SIGKILL')
  await eventually('a new process in place of the killed one', 20_000, async () =>
    [...(await askEach()).keys()].filter((mark) => !before.includes(mark)).length === 1)
  assert.match(said(), /ended with SIGKILL/)

  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
  await assert.rejects(ask())
})

test('what cannot be done is said in a sentence', async () => {
  for (const [args, sentence] of [
    [['--processes', '0'], /--processes: give a whole number from 1 to 64/], [['--roles', 'shop'], /is no role of/],
    [['--speed', '9'], /Unknown option '--speed'/],
  ] as const) {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (text) => { said += text })
    assert.deepEqual(await once(child, 'exit'), [2, null])
    assert.match(said, sentence)
  }
})
