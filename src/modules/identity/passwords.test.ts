// Passwords by themselves: how they are stored, what they must be, and the pool that hashes them; and the limits that
// guard it.
import assert from 'node:assert/strict'
import { argon2Sync } from 'node:crypto'
import test from 'node:test'
import { sql } from '../../platform/db.ts'
import { isProblem, Busy } from '../../platform/problem.ts'
import { testDatabase } from '../../platform/testing.ts'
import { checkPassword } from './check-password.ts'
import { filterOf, isCommon } from './common-passwords.ts'
import { hashPassword, isPassword } from './hash-password.ts'
import { generatePassword } from './issue-password.ts'
import { addressPrefix, forgiveRate, limitRate } from './limit-rate.ts'

test('a hash is argon2id in PHC format, salted, and says its own parameters', async () => {
  const [one, two] = await Promise.all([hashPassword('four words in a row'), hashPassword('four words in a row')])
  assert.match(one!, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  assert.notEqual(one, two)
  assert.deepEqual(
    [await isPassword('four words in a row', one), await isPassword('four words in a roW', one)], [true, false]
  )
  assert.equal(await isPassword('anything', null), false)
  // Another system's parameters are read from the hash.
  const nonce = Buffer.from('0123456789abcdef')
  const tag = argon2Sync('argon2id', { message: 'Å', nonce, memory: 64, passes: 1, parallelism: 1, tagLength: 16 })
  const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
  const other = `$argon2id$v=19$m=64,t=1,p=1$${base64(nonce)}$${base64(tag)}`
  assert.deepEqual(
    [await isPassword('Å', other), await isPassword('A\u030a', other), await isPassword('\u212b', other)],
    [true, true, true]
  )
})

test('the pool refuses what would wait too long, and goes on after', async () => {
  const all = await Promise.allSettled(Array.from({ length: 200 }, () => hashPassword('four words in a row')))
  const refused = all.filter((one) => one.status === 'rejected')
  assert.ok(refused.length >= 100 && refused.every(({ reason }) => isProblem(reason, Busy)))
  assert.ok(await isPassword('four words in a row', await hashPassword('four words in a row')))
})

test('what a password must be', () => {
  const reason = (password: string, personal: string[] = []): string | undefined => {
    try {
      checkPassword(password, personal)
      return undefined
    } catch (error) {
      return (error as { extra: { reason: string } }).extra.reason
    }
  }
  for (const good of [
    'four words in a row', 'xk7qp-m2vnw-9ctb3', 'ßäöüéèêñçåøæœłđ', 'correct cat battery staple',
    '🐱🐶🐭🐹🐰🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵',
  ]) {
    assert.equal(reason(good), undefined, good)
  }
  for (const short of ['', 'fourteen chars', '🐱'.repeat(14)]) assert.equal(reason(short), 'too-short', short)
  for (const common of [
    'aaaaaaaaaaaaaaaa', 'abcabcabcabcabcabc', '123456789012345', 'passwordpassword', 'Password1234567!',
    'P@ssw0rd20262026', 'qwertyuiopasdfgh',
    'abcdefghijklmnopq', 'correcthorsebatterystaple', '111111112222222222'.replace(/2/g, '1'), 'letmeinletmeinletmein',
    'administrator2026', '123456789qwerty', 'QAZWSXEDCRFVTGB', 'momsanaladventure', '2024!butterfly!2024',
    'mustangmustang!!1',
  ]) assert.equal(reason(common), 'too-common', common)
  for (const own of ['ada.byron@shop.example', 'adabyronadabyron', 'Byron1815-Ada-Byron']) {
    assert.equal(reason(own, ['ada.byron@shop.example', 'Ada Byron']), 'personal', own)
  }
})

test('the list of common passwords knows its own, and hardly any other', () => {
  for (const listed of ['123456', 'password', 'iloveyou', 'zxcvbnma']) assert.ok(isCommon(listed), listed)
  const others = Array.from({ length: 100_000 }, (_, index) => `not of the list ${index}`)
  assert.ok(others.filter(isCommon).length <= 2, 'about two in a million are taken for one of them')
  for (let time = 0; time < 10_000; time++) checkPassword(generatePassword(), ['ada.byron@shop.example', 'Ada Byron'])

  const some = new Set(['one', 'two', 'three'])
  const filter = filterOf(some)
  assert.equal(filter.length, 12, '30 bits each')
  assert.deepEqual(filterOf(new Set([...some].reverse())), filter, 'the same list makes the same file')
})

test('a limit holds under a race, is all or nothing, and drains with time', async (t) => {
  const db = await testDatabase(t)
  const limit = { name: 'test', subject: 'ada', acts: 5, seconds: 3_600 }
  const race = await Promise.allSettled(Array.from({ length: 50 }, () => limitRate(db, [limit])))
  assert.equal(race.filter(({ status }) => status === 'fulfilled').length, 5)
  const refusal = await limitRate(db, [limit]).catch((error: { extra: { retryAfterSeconds: number } }) => error)
  const { retryAfterSeconds } = refusal!.extra
  assert.ok(retryAfterSeconds > 600 && retryAfterSeconds <= 720, String(retryAfterSeconds))

  const other = { ...limit, subject: 'bob' }
  await assert.rejects(limitRate(db, [other, limit]))
  for (let act = 0; act < 5; act++) await limitRate(db, [other])
  await assert.rejects(limitRate(db, [other]), 'the refused act had not charged bob')

  await db.run(sql`update identity.rate_limit set drained_at = drained_at - interval '12 minutes'`)
  await limitRate(db, [limit])
  await assert.rejects(limitRate(db, [limit]))
  await forgiveRate(db, limit)
  await limitRate(db, [limit])
})

test('who shares an address', () => {
  assert.equal(addressPrefix('203.0.113.9'), '203.0.113.9')
  assert.equal(addressPrefix('::ffff:203.0.113.9'), '203.0.113.9')
  const one = addressPrefix('2001:db8:1:2a01::1')
  for (const same of [
    '2001:db8:1:2aff:1:2:3:4', '2001:DB8:1:2a00::', '2001:0db8:0001:2a10:0:0:0:9%eth0',
  ]) assert.equal(addressPrefix(same), one, same)
  for (const other of ['2001:db8:1:2b01::1', '2001:db8::1', '::1']) assert.notEqual(addressPrefix(other), one, other)
  assert.equal(addressPrefix('::1'), addressPrefix('0:0:0:0:0:0:0:2'))
})
