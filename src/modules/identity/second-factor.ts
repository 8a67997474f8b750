// The second factor: codes of an authenticator app, and recovery codes for whoever lost it. A step and a recovery code
// count once, whoever uses them and however many at once: both are conditional writes. A wrong, a used and an unknown
// code get one answer.
import { randomBytes } from 'node:crypto'
import { Type, type Static } from 'typebox'
import { sql, type Db, type Statement, type Tx } from '../../platform/db.ts'
import { hashToken } from '../../platform/id.ts'
import { problem } from '../../platform/problem.ts'
import { seal, unseal } from '../../platform/seal.ts'
import { enqueueMessage } from '../notifications/enqueue-message.ts'
import { generatePassword } from './issue-password.ts'
import { limitRate, forgiveRate, type Limit } from './limit-rate.ts'
import { stepOf } from './totp.ts'

// 160 bits, as RFC 4226 asks.
const SECRET_BYTES = 20
const RECOVERY_CODES = 10

export const Code = Type.String({
  minLength: 6, maxLength: 40, description: 'Six digits of the authenticator app, or a recovery code',
})
export const CodeRefused = problem('code-refused', 401, 'This code is wrong, or was used')
export const FactorThere = problem('factor-there', 409, 'There is an authenticator app already: remove it first')
export const FactorMissing = problem('factor-missing', 409, 'Begin with a new secret for the authenticator app')

export const Factor = Type.Enum(['totp', 'passkey', 'recovery-code'])
export type Factor = Static<typeof Factor>

/** What somebody can show beside a password, as an array in a statement; empty: nothing is wanted. */
export const factorsOf = (staffId: Statement): Statement => sql`(
  select case when bool_or(name <> 'recovery-code') then array_agg(name) else '{}' end from (
    select 'totp' as name from identity.totp where totp.staff_id = ${staffId} and confirmed_at is not null
    union all select distinct 'passkey' from identity.passkey where passkey.staff_id = ${staffId}
    union all select distinct 'recovery-code' from identity.recovery_code where recovery_code.staff_id = ${staffId}
  ) as factor)`

const labelOf = (staffId: string): string => `totp ${staffId}`
// A million codes, three of them right: at this pace a guess succeeds once in a century and a half. Only who knows the
// first factor gets as far as to use it up.
const limitOf = (staffId: string): Limit => ({ name: 'second-factor', subject: staffId, acts: 10, seconds: 3_600 })

const Totp = Type.Object({ secret: Type.Unsafe<Buffer>(Type.Any()), nowMs: Type.Number() })
const readTotp = (db: Db, staffId: string, confirmed: boolean) => db.maybe(Totp, sql`
  select secret, extract(epoch from now())::float8 * 1000 as "nowMs" from identity.totp
  where staff_id = ${staffId} and (confirmed_at is not null) = ${confirmed}`)

type Use = (tx: Tx) => Promise<void>

/**
 * Does `work`, which uses the code up in its transaction. Throws CodeRefused, TooManyRequests; of many at once, one
 * succeeds.
 */
export async function withCode<T>(db: Db, staffId: string, code: string, work: (use: Use) => Promise<T>): Promise<T> {
  const limit = limitOf(staffId)
  await limitRate(db, [limit])
  const done = await work(await readCode(db, staffId, code))
  await forgiveRate(db, limit)
  return done
}

/** What uses a code up. */
export async function readCode(db: Db, staffId: string, code: string): Promise<Use> {
  const step = await stepFor(db, staffId, code, true)
  return async (tx) => {
    const used = await tx.run(step === undefined
      ? sql`delete from identity.recovery_code where staff_id = ${staffId} and code_hash = ${hashOf(code)}`
      : sql`update identity.totp set last_step = ${step}
          where staff_id = ${staffId} and confirmed_at is not null and last_step < ${step}`)
    if (used === 0) throw CodeRefused({})
  }
}

async function stepFor(db: Db, staffId: string, code: string, confirmed: boolean): Promise<number | undefined> {
  const totp = await readTotp(db, staffId, confirmed)
  return totp && stepOf(await unseal(db, labelOf(staffId), totp.secret), code, totp.nowMs)
}

// As people type it: with other hyphens or none, in capitals.
const hashOf = (code: string): Buffer => hashToken(code.toLowerCase().replace(/[^a-z0-9]/g, ''))

/** A new secret, which counts once a code of it was shown. Throws FactorThere. Asked again, it is another. */
export async function newTotp(db: Db, staffId: string): Promise<{ secret: Buffer; keep: (tx: Tx) => Promise<void> }> {
  const secret = randomBytes(SECRET_BYTES)
  const sealed = await seal(db, labelOf(staffId), secret)
  return {
    secret,
    async keep(tx) {
      const kept = await tx.run(sql`
        insert into identity.totp as own (staff_id, secret) values (${staffId}, ${sealed})
        on conflict (staff_id) do update set secret = excluded.secret where own.confirmed_at is null`)
      if (kept === 0) throw FactorThere({})
    },
  }
}

/** From now on a code is wanted. Throws FactorMissing, CodeRefused. Of many at once, one succeeds. */
export async function confirmTotp(db: Db, staffId: string, code: string): Promise<(tx: Tx) => Promise<void>> {
  await limitRate(db, [limitOf(staffId)])
  if (!await readTotp(db, staffId, false)) throw FactorMissing({})
  const step = await stepFor(db, staffId, code, false)
  if (step === undefined) throw CodeRefused({})
  return async (tx) => {
    const confirmed = await tx.run(sql`
      update identity.totp set confirmed_at = now(), last_step = ${step}
      where staff_id = ${staffId} and confirmed_at is null`)
    if (confirmed === 0) throw FactorThere({})
  }
}

/** Takes the app away, and the recovery codes with the last factor. Asked again it changes nothing. */
export async function removeTotp(tx: Tx, staffId: string): Promise<void> {
  await Promise.all([
    tx.run(sql`delete from identity.totp where staff_id = ${staffId}`),
    tx.run(sql`delete from identity.recovery_code where staff_id = ${staffId}
      and not exists (select from identity.passkey where passkey.staff_id = ${staffId})`),
  ])
}

/** Takes all of it away. Asked again it changes nothing. */
export async function removeFactors(tx: Tx, staffId: string): Promise<void> {
  await Promise.all([
    tx.run(sql`delete from identity.passkey where staff_id = ${staffId}`), removeTotp(tx, staffId),
  ])
}

/** New recovery codes in place of the old ones, shown now and never again. Throws FactorMissing: they replace one. */
export async function newRecoveryCodes(tx: Tx, staffId: string): Promise<string[]> {
  const { factors } = await tx.one(Type.Object({ factors: Type.Array(Factor) }), sql`
    select ${factorsOf(sql`staff.id`)} as factors from identity.staff where id = ${staffId} for update`)
  if (factors.length === 0) throw FactorMissing({}, 'Recovery codes stand for a second factor: add one first.')
  const codes = Array.from({ length: RECOVERY_CODES }, generatePassword)
  await tx.run(sql`delete from identity.recovery_code where staff_id = ${staffId}`)
  await tx.run(sql`
    insert into identity.recovery_code (staff_id, code_hash)
    select ${staffId}, code_hash from unnest(${codes.map(hashOf)}::bytea[]) as code_hash`)
  return codes
}

/** Tells the person by mail: if it was not them, they learn of it. */
export async function tellOfChange(tx: Tx, staffId: string, what: string): Promise<void> {
  const person = await tx.one(Type.Object({ email: Type.String(), name: Type.String() }), sql`
    select email, name from identity.staff where id = ${staffId}`)
  await enqueueMessage(tx, 'sign-in-changed', person.email, { name: person.name, what })
}
