// Passwords of other shops: known vectors, wrong passwords, and the upgrade at the first sign-in.
import assert from 'node:assert/strict'
import test from 'node:test'
import bcrypt from 'bcryptjs'
import { createHmac } from 'node:crypto'
import { Type } from 'typebox'
import { sql } from '../../platform/db.ts'
import { isForeignPassword, withPepper } from './foreign-hashes.ts'
import { isPassword } from './hash-password.ts'
import { PASSWORD, testIdentity } from './internal/test-identity.ts'

const PEPPER = 'c0ffee'.repeat(20)

const hashes = async (password: string): Promise<Record<string, string>> => ({
  bcrypt: await bcrypt.hash(password, 4),
  devise: withPepper(await bcrypt.hash(password + PEPPER, 4), PEPPER),
  wordpress: `$wp${await bcrypt.hash(createHmac('sha384', 'wp-sha384').update(password).digest('base64'), 4)}`,
})

test('known vectors', async () => {
  // Of the authors of phpass and of bcrypt.
  assert.equal(await isForeignPassword('test12345', '$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0'), true)
  assert.equal(await isForeignPassword('test12346', '$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0'), false)
  assert.equal(await isForeignPassword('U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'), true)
  for (const unknown of ['', 'plain', '$1$abc$def', '$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW']) {
    assert.equal(await isForeignPassword('x', unknown), undefined, unknown)
    await assert.rejects(isPassword('x', unknown))
  }
  assert.equal(await isForeignPassword('x', '$P$zIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0'), false, 'not 2^63 rounds')
})

test('each is read, and hashed anew at the first sign-in; a wrong password changes nothing', async (t) => {
  const { db, browser, person } = await testIdentity(t)
  const stored = (id: string) => db.one(Type.Object({ hash: Type.String() }), sql`
    select password_hash as hash from identity.staff where id = ${id}`)
  for (const [name, hash] of Object.entries(await hashes(PASSWORD))) {
    const { id, email } = await person('support')
    await db.run(sql`update identity.staff set password_hash = ${hash} where id = ${id}`)
    const signIn = async (password: string) => (await browser()('POST', '/admin/session', { email, password })).status
    assert.equal(await signIn('wrong'), 401, name)
    assert.deepEqual([await signIn(PASSWORD), (await stored(id)).hash.slice(0, 30)],
      [200, '$argon2id$v=19$m=19456,t=2,p=1'], name)
    assert.equal(await signIn(PASSWORD), 200, `${name}, the new one`)
  }
})
