// The commands for people and keys, run as a person runs them.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { createAuthenticate, forgetActors } from '../src/modules/identity/authenticate.ts'
import { saveChannel } from '../src/modules/catalog/channels.ts'
import { signIn } from '../src/modules/identity/sign-in.ts'
import { findStaff } from '../src/modules/identity/staff.ts'
import { sql, systemContext } from '../src/platform/db.ts'
import { newId } from '../src/platform/id.ts'
import { testDatabase, type Cleanup } from '../src/platform/testing.ts'

async function start(t: Cleanup) {
  const db = await testDatabase(t)
  const kontor = (...args: string[]): Promise<{ status: number; out: string; error: string }> =>
    new Promise((resolve) => {
    const env = { ...process.env, DATABASE_URL: db.url }
    execFile(process.execPath, [join(import.meta.dirname, 'kontor.ts'), ...args], { env }, (error, out, said) =>
      resolve({ status: Number(error?.code ?? 0), out, error: said }))
  })
  return { db, kontor }
}

test('people: added, given a new password, listed; a mistake is a sentence', async (t) => {
  const { db, kontor } = await start(t)
  const enter = (password: string) =>
    signIn(db, systemContext(), { email: 'ada@shop.example', password }, { address: '127.0.0.1', userAgent: '' })
  const passwordOf = ({ out }: { out: string }): string => /password: (\S+)/.exec(out)![1]!

  const first = passwordOf(await kontor('user', 'create', 'Ada@shop.example', '--role', 'owner'))
  assert.ok(await enter(first))
  const second = passwordOf(await kontor('user', 'password', 'ada@shop.example'))
  assert.ok(await enter(second))
  await assert.rejects(enter(first))
  const { id } = (await findStaff(db, 'ada@shop.example'))!
  await db.run(sql`insert into identity.totp (staff_id, secret, confirmed_at) values (${id}, '', now())`)
  assert.deepEqual((await enter(second)).factors, ['totp'])
  assert.deepEqual((await enter(passwordOf(await kontor('user', 'password', 'ada@shop.example')))).factors, ['totp'])
  const third = passwordOf(await kontor('user', 'password', 'ada@shop.example', '--drop-factors'))
  assert.deepEqual((await enter(third)).factors, [])
  assert.equal((await kontor('user', 'list')).out, 'ada@shop.example   Ada   owner\n')
  for (const args of [
    ['create', 'ada@shop.example'], ['create', 'bob@shop.example', '--role', 'none'], ['password', 'bob@shop.example'],
    ['create', 'bob'], ['create'], ['remove', 'ada@shop.example'],
  ]) {
    const { status, out, error } = await kontor('user', ...args)
    assert.deepEqual([status, out, error.trim().split('\n').length], [2, '', 1], error)
  }
})

test('keys: made for programs and pages, listed without their secret, revoked', async (t) => {
  const { db, kontor } = await start(t)
  const channelId = newId()
  await db.transaction(systemContext(), (tx) => saveChannel(tx, channelId, {
    code: 'web', name: 'Web', currencies: ['EUR'], defaultCurrency: 'EUR', defaultLocale: 'en', country: 'DE',
    pricesIncludeTax: true,
  }))
  const secret = (
    await kontor('key', 'create', '--secret', 'My program', '--permission', 'orders:read')
  ).out.split(' ')[0]!
  const publishable = (await kontor('key', 'create', '--publishable', 'Pages', '--channel', 'web')).out.trim()
  const authenticate = createAuthenticate(db)
  const facts = (headers: Record<string, string>) => ({ method: 'POST', ip: '127.0.0.1', headers })
  const server = () => authenticate(facts({ authorization: `Bearer ${secret}` }), { permission: 'orders:read' })
  assert.equal((await server()).kind, 'key')
  const shopper = await authenticate(facts({ 'x-publishable-key': publishable }), 'shopper')
  assert.ok(shopper.kind === 'shopper' && shopper.channelId === channelId)

  const { out: list } = await kontor('key', 'list')
  assert.ok(list.includes(publishable) && list.includes('My program') && !list.includes(secret))
  const id = list.split('\n').find((line) => line.includes('My program'))!.split(' ')[0]!
  assert.equal((await kontor('key', 'revoke', id)).status, 0)
  forgetActors(db)
  await assert.rejects(async () => server())
  for (const args of [
    ['revoke', newId()], ['revoke', 'x'], ['create'], ['create', '--secret', 'a', '--permission', 'b:c'],
    ['create', '--secret', 'a', '--days', 'x'], ['create', '--publishable', 'a', '--channel', 'none'],
  ]) {
    const { status, out, error } = await kontor('key', ...args)
    assert.deepEqual([status, out, error.trim().split('\n').length], [2, '', 1], error)
  }
})
