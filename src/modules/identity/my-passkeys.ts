// The own passkeys: made, named, removed, and signed in with. One can be the only way in; the last way in stays.
import { Type } from 'typebox'
import { resultId, sql, type Context, type Db } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { Forbidden, problem } from '../../platform/problem.ts'
import { Name, PasskeyRefused, Staff } from './identity.ts'
import { addressPrefix, limitRate } from './limit-rate.ts'
import { signedIn } from './me.ts'
import { changeFactors } from './my-factors.ts'
import {
  NewCredential, Passkey, PasskeyNotFound, PasskeyOptions, PasskeyThere, readNewPasskey, readSigned,
  registrationOptions, SignedChallenge, signInOptions, useChallenge,
} from './passkeys.ts'
import { refuseForeignOrigin } from './session-cookie.ts'
import { deviceOf, openSession, welcome, type Device, type Signed } from './sign-in.ts'
import { staffPasskeys } from './staff-passkeys.ts'
import { getStaff } from './staff.ts'

const columns = sql`id, name, created_at as "createdAt", last_used_at as "lastUsedAt", synced`

const LastWayIn = problem('last-way-in', 409, 'Nothing would be left to sign in with')

/** Signs in with a passkey alone. Throws PasskeyRefused. */
async function signInWithPasskey(
  db: Db, context: Context, signed: SignedChallenge, device: Device
): Promise<Signed> {
  const { holderId: id, passwordHash, use } = await readSigned(db, staffPasskeys, signed)
  return db.transaction(context, async (tx) => {
    await use(tx)
    const opened = await openSession(tx, { id, passwordHash }, device, { strong: true })
    if (!opened) throw PasskeyRefused({})
    return opened
  })
}

const tags = ['Own account']
const params = Type.Object({ passkeyId: Id })

const postRegistration = route({
  method: 'POST', path: '/admin/me/passkeys/options', operationId: 'beginPasskey', access: 'staff', sensitive: true,
  tags, summary: 'Begin to make a passkey', description: 'Good for five minutes and once.',
  response: { 200: PasskeyOptions }, replay: 'none',
  async run({ db, context }) {
    const { id } = signedIn(context)
    return { options: await registrationOptions(db, staffPasskeys, await getStaff(db, id)) }
  },
})

const postPasskey = route({
  method: 'POST', path: '/admin/me/passkeys', operationId: 'addPasskey', access: 'staff', sensitive: true, tags,
  summary: 'Add the passkey that a browser made', description: 'From now on a password alone does not sign in.',
  body: Type.Object({ name: Name, credential: NewCredential }), response: { 201: Passkey },
  problems: [PasskeyRefused, PasskeyThere], replay: 'refuse',
  async run({ db, context, body }) {
    const made = await readNewPasskey(db, staffPasskeys, body.credential)
    return changeFactors(db, context, `The passkey "${body.name}" was added to your account.`, async (tx, staffId) => {
      await useChallenge(tx, staffPasskeys, made.challenge, staffId)
      return tx.one(Passkey, sql`
        insert into identity.passkey (id, staff_id, credential_id, public_key, counter, transports, name, synced)
        values (${resultId(context)}, ${staffId}, ${made.id}, ${Buffer.from(made.publicKey)}, ${made.counter},
          ${body.credential.response.transports ?? []}, ${body.name}, ${made.synced})
        returning ${columns}`)
    })
  },
})

const listPasskeys = route({
  method: 'GET', path: '/admin/me/passkeys', operationId: 'listMyPasskeys', access: 'staff', tags,
  summary: 'List the own passkeys', response: { 200: Type.Object({ items: Type.Array(Passkey) }) },
  run: async ({ db, context }) => ({ items: await db.many(Passkey, sql`
    select ${columns} from identity.passkey where staff_id = ${signedIn(context).id} order by id limit 100`) }),
})

const patchPasskey = route({
  method: 'PATCH', path: '/admin/me/passkeys/:passkeyId', operationId: 'renamePasskey', access: 'staff', tags,
  summary: 'Rename a passkey', params, body: Type.Object({ name: Name }), response: { 200: Passkey },
  problems: [PasskeyNotFound],
  run: ({ db, context, params: { passkeyId }, body }) => db.transaction(context, async (tx) => {
    const renamed = await tx.maybe(Passkey, sql`
      update identity.passkey set name = ${body.name}
      where id = ${passkeyId} and staff_id = ${signedIn(context).id} returning ${columns}`)
    if (!renamed) throw PasskeyNotFound({})
    return renamed
  }),
})

const Ways = Type.Object({ password: Type.Boolean(), passkeys: Type.Integer() })
// The lock makes two that are removed at once wait for each other, so that the second finds itself the last.
const lockWays = (staffId: string) => sql`
  with person as (select id, password_hash from identity.staff where id = ${staffId} for update)
  select password_hash is not null as password,
    (select count(*) from identity.passkey where passkey.staff_id = person.id) as passkeys from person`

const deletePasskey = route({
  method: 'DELETE', path: '/admin/me/passkeys/:passkeyId', operationId: 'removePasskey', access: 'staff',
  sensitive: true, tags, summary: 'Remove a passkey', description: 'Never the last way in.',
  params, response: { 204: null }, problems: [PasskeyNotFound, LastWayIn],
  run: ({ db, context, params: { passkeyId } }) => changeFactors(
    db, context, 'A passkey was removed from your account.', async (tx, staffId) => {
      await tx.one(Ways, lockWays(staffId))
      const removed = await tx.run(sql`
        delete from identity.passkey where id = ${passkeyId} and staff_id = ${staffId}`)
      if (removed === 0) throw PasskeyNotFound({})
      const left = await tx.one(Ways, lockWays(staffId))
      if (!left.password && left.passkeys === 0) throw LastWayIn({}, 'Set a password or add another passkey first.')
    }),
})

const deletePassword = route({
  method: 'DELETE', path: '/admin/me/password', operationId: 'removePassword', access: 'staff', sensitive: true, tags,
  summary: 'Sign in by passkey only', description: 'Asked again it changes nothing. A link by mail sets one again.',
  response: { 204: null }, problems: [LastWayIn],
  run: ({ db, context }) => changeFactors(db, context, 'Your password was removed.', async (tx, staffId) => {
    const { passkeys } = await tx.one(Ways, lockWays(staffId))
    if (passkeys === 0) throw LastWayIn({}, 'Add a passkey first.')
    await tx.run(sql`update identity.staff set password_hash = null where id = ${staffId}`)
  }),
})

const postOptions = route({
  method: 'POST', path: '/admin/session/passkey', operationId: 'beginPasskeySignIn', access: 'public', tags,
  summary: 'Begin to sign in with a passkey', description: 'Also to prove yourself. Good for five minutes and once.',
  response: { 200: PasskeyOptions }, replay: 'none',
  async run({ db, request }) {
    // Each costs a row for five minutes.
    await limitRate(db, [{ name: 'passkey', subject: addressPrefix(request.ip), acts: 100, seconds: 300 }])
    return { options: await signInOptions(db, staffPasskeys) }
  },
})

const putSignIn = route({
  method: 'PUT', path: '/admin/session/passkey', operationId: 'signInWithPasskey', access: 'public', tags,
  summary: 'Sign in with a passkey', description: 'Sets the session cookie. Nothing else is wanted.',
  body: SignedChallenge, response: { 200: Staff }, problems: [PasskeyRefused, Forbidden],
  async run({ db, context, body, request, reply }) {
    refuseForeignOrigin(request.headers)
    const signed = await signInWithPasskey(db, context, body, deviceOf(request))
    return welcome(db, signed, { request, reply })
  },
})

export const passkeyRoutes = [
  postRegistration, postPasskey, listPasskeys, patchPasskey, deletePasskey, deletePassword, postOptions, putSignIn,
]
