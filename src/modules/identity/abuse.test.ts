// What a flood meets: challenges, limits over all processes, and no way to lock somebody else out.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql, systemContext } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { isProblem, TooManyRequests } from '../../platform/problem.ts'
import { testDatabase } from '../../platform/testing.ts'
import { createSecretKey } from './api-keys.ts'
import { createAuthenticate } from './authenticate.ts'
import { challenges, zeroBits } from './challenge.ts'
import { PASSWORD, testIdentity } from './internal/test-identity.ts'
import { forgetCounts, RequestMeter } from './limit-requests.ts'
import { forgetOrigins, limitSignIn } from './limit-sign-in.ts'
import { disposableMail, readDomains, refuseDisposable } from './refuse-disposable.ts'

const solve = ({ token, bits = 0 }: { token: string; bits?: number }): string => {
  for (let number = 0; ; number++) {
    const answer = `${token}.${number}`
    if (zeroBits(createHash('sha256').update(answer).digest()) >= bits) return answer
  }
}

test('zero bits are counted across bytes', () => {
  assert.deepEqual([[0x80], [0x01], [0, 0x40], [0, 0, 0]].map((bytes) => zeroBits(Buffer.from(bytes))), [0, 7, 9, 24])
})

test('a proof of work counts once, in time, for the challenge that it solves', async (t) => {
  const db = await testDatabase(t)
  const { ask, passes } = challenges.of(db)
  const answer = solve(await ask(db))
  const raced = await Promise.all(Array.from({ length: 12 }, () => passes(db, answer)))
  assert.equal(raced.filter(Boolean).length, 1)
  const fresh = await ask(db)
  const late = solve(fresh)
  const [random, until, mark] = fresh.token.split('.') as [string, string, string]
  for (const wrong of [
    '', 'x', `${fresh.token}.x`, late.replace(random, 'a'.repeat(22)), late.replace(until, String(+until + 9)),
    late.replace(mark, 'a'.repeat(43)), answer, `${late}9`,
  ]) assert.equal(await passes(db, wrong), false, wrong)
  t.mock.timers.enable({ apis: ['Date'], now: (+until + 1) * 1_000 })
  assert.equal(await passes(db, late), false)
  t.mock.timers.reset()
  assert.equal(await passes(db, late), true)
})

const fill = (db: Parameters<typeof forgetCounts>[0], name: string) => db.run(sql`
  insert into identity.rate_limit (key, drained_at, capacity)
  select ${`${name}:${createHash('sha256').update('').digest('base64url')}`}, now() + interval '1 hour',
    interval '1 hour'
  on conflict (key) do update set drained_at = excluded.drained_at`)

test('in a flood a stranger solves a challenge, and whoever signed in from there before does not', async (t) => {
  const { browser, app, db, person } = await testIdentity(t)
  const { email } = await person('owner')
  const sign = (address: string, challenge?: string) => browser(app, address)(
    'POST', '/admin/session', { email, password: PASSWORD }, challenge ? { 'x-challenge': challenge } : {})
  assert.equal((await sign('203.0.113.1')).status, 200)
  await fill(db, 'sign-in-all')
  assert.equal((await sign('203.0.113.1')).status, 200)
  const asked = await sign('203.0.113.2')
  assert.deepEqual([asked.status, asked.body.challenge.kind], [428, 'proof-of-work'])
  const answer = solve(asked.body.challenge)
  assert.equal((await sign('203.0.113.2', answer)).status, 200)
  assert.equal((await sign('203.0.113.3', answer)).status, 428, 'an answer counts once')
})

test('guesses from everywhere lock a stranger out for a while, and never the person at their own place', async (t) => {
  const { browser, app, db, person } = await testIdentity(t)
  const { email } = await person('owner')
  const sign = async (address: string, password = PASSWORD): Promise<number> =>
    (await browser(app, address)('POST', '/admin/session', { email, password })).status
  assert.equal(await sign('203.0.113.1'), 200)
  for (let guess = 0; guess < 120; guess++) {
    await db.run(sql`delete from identity.rate_limit where key like 'sign-in-all%'`)     // slowly, so no flood
    await limitSignIn(db, { email, address: `198.51.${guess}.1` }).catch((error) => assert.equal(error.name, 'Problem'))
  }
  assert.deepEqual([await sign('192.0.2.1'), await sign('203.0.113.1')], [429, 200])
  await db.run(sql`update identity.known_origin set last_at = now() - interval '91 days'`)
  await forgetOrigins(db)
  assert.equal(await sign('203.0.113.1'), 429)
})

test('the delay grows: ten tries, then one in a while, and thirty a day', async (t) => {
  const db = await testDatabase(t)
  const attempt = { email: 'ada@shop.example', address: '203.0.113.1' }
  const wait = async (): Promise<number> => limitSignIn(db, attempt).then(() => 0, (error) => {
    assert.ok(isProblem(error, TooManyRequests))
    return error.extra['retryAfterSeconds'] as number
  })
  const passes = async (): Promise<number> => {
    for (let count = 0; ; count++) if (await wait() > 0) return count
  }
  assert.equal(await passes(), 10)
  assert.ok(await wait() <= 90)
  const later = (interval: string) => db.run(sql`
    update identity.rate_limit set drained_at = drained_at - ${interval}::interval where key not like 'sign-in-day%'`)
  for (const round of [1, 2]) {
    await later('1 hour')
    assert.equal(await passes(), 10, `round ${round}`)
  }
  await later('1 hour')
  assert.ok(await wait() > 90, 'now the day is full')
})

test('what processes count by themselves is one limit', async (t) => {
  const db = await testDatabase(t)
  t.mock.timers.enable({ apis: ['Date'], now: 60_000_000 })
  const [one, other] = [new RequestMeter(db), new RequestMeter(db)]
  const take = (meter: RequestMeter, count: number): number => {
    let taken = 0
    for (; taken < count; taken++) {
      try {
        meter.take('key', 10)
      } catch (error) {
        assert.ok(isProblem(error, TooManyRequests))
        break
      }
    }
    return taken
  }
  assert.deepEqual([take(one, 6), take(other, 6)], [6, 6])
  await Promise.all([one.share(), one.share()])
  await other.share()
  assert.deepEqual([take(other, 9), take(one, 9)], [0, 4], 'one has not asked since')
  await one.share()
  assert.equal(take(one, 1), 0)
  t.mock.timers.setTime(60_060_000)
  assert.equal(take(one, 20), 10, 'another minute')
  await one.share()
  t.mock.timers.setTime(60_300_000)
  await forgetCounts(db)
  assert.equal(await db.run(sql`select from identity.request_count`), 0)
})

test('a key and an address send so many requests a minute', async (t) => {
  const { db } = await testIdentity(t)
  const key = await db.transaction(
    systemContext(), (tx) => createSecretKey(tx, newId(), { name: 'x', permissions: [] }))
  const ask = async (authenticate: ReturnType<typeof createAuthenticate>, ip: string): Promise<string> => {
    const request = { method: 'GET', headers: { authorization: `Bearer ${key}` }, ip }
    return Promise.resolve().then(() => authenticate(request, { permission: 'orders:read' }))
      .then(() => 'in', (error) => error.kind.code)
  }
  const byKey = createAuthenticate(db, { requestsPerKey: 2 })
  assert.deepEqual([await ask(byKey, '192.0.2.1'), await ask(byKey, '192.0.2.2'), await ask(byKey, '192.0.2.3')],
    ['forbidden', 'forbidden', 'too-many-requests'])
  const byAddress = createAuthenticate(db, { requestsPerAddress: 1 })
  assert.deepEqual([
    await ask(byAddress, '2001:db8:0:a01::1'), await ask(byAddress, '2001:db8:0:aff::2'),
    await ask(byAddress, '192.0.2.1'),
  ], ['forbidden', 'too-many-requests', 'forbidden'])
})

test('mail domains of the list are refused, and those below them', async (t) => {
  const db = await testDatabase(t)
  refuseDisposable(db, 'ada@thrown.example')
  const file = join(tmpdir(), `domains-${newId()}.txt`)
  writeFileSync(file, '# weekly\nThrown.example\n\nten-minutes.example # gone\n')
  disposableMail.set(db, readDomains(file))
  for (const email of ['ada@thrown.example', 'ada@A.Thrown.Example', 'ada@ten-minutes.example.']) {
    assert.throws(() => refuseDisposable(db, email), { name: 'Problem' }, email)
  }
  for (const email of ['ada@example.com', 'ada@notthrown.example', 'thrown.example@shop.example']) {
    refuseDisposable(db, email)
  }
})
