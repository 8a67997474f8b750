// Passkeys of customers: made on a page of the storefront, named, removed, and signed in with. What a device has to
// sign and whether it did is as for staff (identity/passkeys.ts). A link by mail is always another way in, so any of
// them may go. They want a mailbox that is proven: nobody prepares a way into an account before its owner comes.
import { Type } from 'typebox'
import { resultId, signedCustomer, sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { Forbidden } from '../../platform/problem.ts'
import { EmailUnproven } from '../customers/customers.ts'
import { forgetActors } from '../identity/authenticate.ts'
import { Name, PasskeyRefused } from '../identity/identity.ts'
import { addressPrefix, limitRate } from '../identity/limit-rate.ts'
import {
  KnownCredential, NewCredential, Passkey, PasskeyNotFound, PasskeyOptions, PasskeyThere, readNewPasskey, readSigned,
  registrationOptions, SignedChallenge, signInOptions, StoredPasskey, useChallenge, type Holders,
} from '../identity/passkeys.ts'
import { deviceOf, type Device } from '../identity/sign-in.ts'
import { enqueueMessage } from '../notifications/enqueue-message.ts'
import { keep, pagesOf, SignedIn } from './accounts.ts'
import { endSessions, getAccount, handOver, openSession, refuseForeignKeeping } from './session.ts'

export const customerPasskeys: Holders = {
  pages: pagesOf,
  keepChallenge: (db, { hash, holderId }, seconds) => db.run(sql`
    insert into accounts.passkey_challenge (challenge_hash, customer_id, expires_at)
    values (${hash}, ${holderId}, now() + make_interval(secs => ${seconds}))`),
  useChallenge: (tx, { hash, holderId }) => tx.run(sql`
    delete from accounts.passkey_challenge where challenge_hash = ${hash}
      and customer_id is not distinct from ${holderId}::uuid and expires_at > now()`),
  credentialsOf: (db, customerId) => db.many(KnownCredential, sql`
    select credential_id as "credentialId", transports from accounts.passkey where customer_id = ${customerId}`),
  find: (db, credentialId) => db.maybe(StoredPasskey, sql`
    select passkey.id, customer_id as "holderId", public_key as "publicKey", counter, password_hash as "passwordHash"
    from accounts.passkey join accounts.account using (customer_id) where credential_id = ${credentialId}`),
  count: (tx, passkeyId, counter) => tx.run(sql`
    update accounts.passkey set counter = ${counter}, last_used_at = now()
    where id = ${passkeyId} and (counter < ${counter} or (counter = 0 and ${counter} = 0))`),
}

const columns = sql`id, name, created_at as "createdAt", last_used_at as "lastUsedAt", synced`

/** Signs in with a passkey alone. Throws PasskeyRefused; of many at once, one succeeds. */
async function signInWithPasskey(db: Db, context: Context, signed: SignedChallenge, device: Device) {
  const { holderId: customerId, passwordHash, use } = await readSigned(db, customerPasskeys, signed)
  const token = await db.transaction(context, async (tx) => {
    await use(tx)
    return openSession(tx, { id: customerId, passwordHash }, device)
  })
  if (!token) throw PasskeyRefused({})
  return { token, customerId }
}

/** Who is signed in, with their mailbox proven. Throws EmailUnproven. */
function owner(context: Context) {
  const customer = signedCustomer(context)
  if (!customer.owns) throw EmailUnproven({})
  return customer
}

const tell = (tx: Tx, email: string, what: string) => enqueueMessage(tx, 'account-changed', email, { what })

const access = 'customer' as const
const [signingIn, tags] = [['Signing in'], ['Own account']]
const params = Type.Object({ passkeyId: Id })

const postRegistration = route({
  method: 'POST', path: '/store/account/passkeys/options', operationId: 'beginPasskey', access, sensitive: true, tags,
  summary: 'Begin to make a passkey', description: 'Good for five minutes and once, on a page of the storefront.',
  response: { 200: PasskeyOptions }, problems: [EmailUnproven], replay: 'none',
  async run({ db, context }) {
    const { id, email } = owner(context)
    await limitRate(db, [{ name: 'account-passkey', subject: id, acts: 20, seconds: 3_600 }])
    return { options: await registrationOptions(db, customerPasskeys, { id, email, name: email }) }
  },
})

const postPasskey = route({
  method: 'POST', path: '/store/account/passkeys', operationId: 'addPasskey', access, sensitive: true, tags,
  summary: 'Add the passkey that a browser made', description: 'It signs in alone, beside the other ways.',
  body: Type.Object({ name: Name, credential: NewCredential }), response: { 201: Passkey },
  problems: [PasskeyRefused, PasskeyThere, EmailUnproven], replay: 'refuse',
  async run({ db, context, body: { name, credential } }) {
    const { id, email } = owner(context)
    const made = await readNewPasskey(db, customerPasskeys, credential)
    return db.transaction(context, async (tx) => {
      await useChallenge(tx, customerPasskeys, made.challenge, id)
      await tell(tx, email, `The passkey "${name}" was added to your account.`)
      return tx.one(Passkey, sql`
        insert into accounts.passkey (id, customer_id, credential_id, public_key, counter, transports, name, synced)
        values (${resultId(context)}, ${id}, ${made.id}, ${Buffer.from(made.publicKey)}, ${made.counter},
          ${credential.response.transports ?? []}, ${name}, ${made.synced})
        returning ${columns}`)
    })
  },
})

const listPasskeys = route({
  method: 'GET', path: '/store/account/passkeys', operationId: 'listMyPasskeys', access, tags,
  summary: 'List the own passkeys', response: { 200: Type.Object({ items: Type.Array(Passkey) }) },
  run: async ({ db, context }) => ({ items: await db.many(Passkey, sql`
    select ${columns} from accounts.passkey where customer_id = ${signedCustomer(context).id}
    order by id limit 100`) }),
})

const patchPasskey = route({
  method: 'PATCH', path: '/store/account/passkeys/:passkeyId', operationId: 'renamePasskey', access, tags,
  summary: 'Rename a passkey', params, body: Type.Object({ name: Name }), response: { 200: Passkey },
  problems: [PasskeyNotFound],
  run: ({ db, context, params: { passkeyId }, body }) => db.transaction(context, async (tx) => {
    const renamed = await tx.maybe(Passkey, sql`
      update accounts.passkey set name = ${body.name}
      where id = ${passkeyId} and customer_id = ${signedCustomer(context).id} returning ${columns}`)
    if (!renamed) throw PasskeyNotFound({})
    return renamed
  }),
})

const deletePasskey = route({
  method: 'DELETE', path: '/store/account/passkeys/:passkeyId', operationId: 'removePasskey', access, sensitive: true,
  tags, summary: 'Remove a passkey', description: 'Ends every other session. A link by mail signs in without one.',
  params, response: { 204: null }, problems: [PasskeyNotFound],
  async run({ db, context, params: { passkeyId } }) {
    const { id, email, sessionId } = signedCustomer(context)
    await db.transaction(context, async (tx) => {
      const removed = await tx.run(sql`
        delete from accounts.passkey where id = ${passkeyId} and customer_id = ${id}`)
      if (removed === 0) throw PasskeyNotFound({})
      await Promise.all([endSessions(tx, id, sessionId), tell(tx, email, 'A passkey was removed from your account.')])
    })
    forgetActors(db)
  },
})

const postOptions = route({
  method: 'POST', path: '/store/account/session/passkey', operationId: 'beginPasskeySignIn', access: 'shopper',
  tags: signingIn, summary: 'Begin to sign in with a passkey',
  description: 'Also to prove yourself. Good for five minutes and once.',
  response: { 200: PasskeyOptions }, replay: 'none',
  async run({ db, request }) {
    // Each costs a row for five minutes.
    await limitRate(db, [{ name: 'account-passkey', subject: addressPrefix(request.ip), acts: 100, seconds: 300 }])
    return { options: await signInOptions(db, customerPasskeys) }
  },
})

const putSignIn = route({
  method: 'PUT', path: '/store/account/session/passkey', operationId: 'signInWithPasskey', access: 'shopper',
  tags: signingIn, summary: 'Sign in with a passkey', body: Type.Object({ credential: SignedChallenge, ...keep }),
  response: { 200: SignedIn }, problems: [PasskeyRefused, Forbidden],
  async run({ db, context, body, request, reply }) {
    refuseForeignKeeping(body, request)
    const { token, customerId } = await signInWithPasskey(db, context, body.credential, deviceOf(request))
    return { account: await getAccount(db, customerId), token: handOver(token, body, { request, reply }) }
  },
})

export const passkeyRoutes = [
  postRegistration, postPasskey, listPasskeys, patchPasskey, deletePasskey, postOptions, putSignIn,
]
