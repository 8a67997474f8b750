// Passkeys (WebAuthn): what a device has to sign, and whether it did. A challenge is used once and within five minutes;
// user verification is always required, so that a passkey is two factors in one. Address and name of the shop come from
// its configuration, never from a request. What is wrong gets one answer.
import { Type, type Static } from 'typebox'
import { sql, type Db, type Tx } from '../../platform/db.ts'
import { hashToken } from '../../platform/id.ts'
import { mailSettings } from '../notifications/mail.ts'
import { PasskeyRefused } from './identity.ts'

// Loaded when the first passkey is asked for: it takes as much memory as a tenth of a shop.
const webAuthn = () => import('@simplewebauthn/server')

const VALID_SECONDS = 300
// EdDSA, ES256, RS256: what devices have.
const ALGORITHMS = [-8, -7, -257]

const base64url = (maxLength: number) => Type.String({ pattern: '^[\\w-]*$', minLength: 1, maxLength })
/** As `PublicKeyCredential.toJSON()` of a browser; the shop reads `id` and `response`. */
const credential = {
  id: base64url(1_400), rawId: Type.Optional(base64url(1_400)), type: Type.Optional(Type.Literal('public-key')),
  authenticatorAttachment: Type.Optional(Type.Enum(['platform', 'cross-platform'])),
  clientExtensionResults: Type.Optional(Type.Unsafe<object>(Type.Any())),
}
export const NewCredential = Type.Object({
  ...credential, response: Type.Object({
    clientDataJSON: base64url(4_000), attestationObject: base64url(20_000),
    transports: Type.Optional(Type.Array(Type.String({ pattern: '^[a-z-]{1,20}$' }), { maxItems: 10 })),
    authenticatorData: Type.Optional(base64url(20_000)), publicKey: Type.Optional(base64url(8_000)),
    publicKeyAlgorithm: Type.Optional(Type.Integer()),
  }),
})
export const SignedChallenge = Type.Object({
  ...credential, response: Type.Object({
    clientDataJSON: base64url(4_000), authenticatorData: base64url(4_000), signature: base64url(4_000),
    userHandle: Type.Optional(Type.Union([base64url(100), Type.Null()])),
  }, { title: 'PasskeyAssertion' }),
})
export type SignedChallenge = Static<typeof SignedChallenge>

type Options = { challenge: string }

/** The options of a browser's `navigator.credentials`, and where what it answers must come from. */
function partyOf(db: Db): { rpID: string; origin: string } {
  const { hostname, origin } = new URL(mailSettings.of(db).shopUrl)
  return { rpID: hostname, origin }
}

async function keepChallenge<T extends Options>(db: Db, options: T, staffId: string | null): Promise<T> {
  await db.run(sql`
    insert into identity.passkey_challenge (challenge_hash, staff_id, expires_at)
    values (${hashToken(options.challenge)}, ${staffId}, now() + make_interval(secs => ${VALID_SECONDS}))`)
  return options
}

/** Uses a challenge up. Throws PasskeyRefused; of many at once, one succeeds. */
export async function useChallenge(tx: Tx, challenge: string, staffId: string | null): Promise<void> {
  const used = await tx.run(sql`
    delete from identity.passkey_challenge where challenge_hash = ${hashToken(challenge)}
      and staff_id is not distinct from ${staffId}::uuid and expires_at > now()`)
  if (used === 0) throw PasskeyRefused({})
}

type Person = { id: string; email: string; name: string }
const Known = Type.Object({ credentialId: Type.String(), transports: Type.Array(Type.String()) })

/** What a browser needs to make a passkey for somebody. */
export async function registrationOptions(db: Db, { id, email, name }: Person) {
  const { rpID } = partyOf(db)
  const known = await db.many(Known, sql`
    select credential_id as "credentialId", transports from identity.passkey where staff_id = ${id}`)
  const { generateRegistrationOptions } = await webAuthn()
  return keepChallenge(db, await generateRegistrationOptions({
    rpID, rpName: rpID, userName: email, userDisplayName: name, userID: new Uint8Array(Buffer.from(id)),
    supportedAlgorithmIDs: ALGORITHMS,
    excludeCredentials: known.map(({ credentialId, transports }) => ({ id: credentialId, transports })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  }), id)
}

/** What a browser needs to sign in, or to prove who is there: no account is named, the device knows. */
export async function signInOptions(db: Db) {
  const { generateAuthenticationOptions } = await webAuthn()
  return keepChallenge(db, await generateAuthenticationOptions(
    { rpID: partyOf(db).rpID, userVerification: 'required' }), null)
}

/** Reads a new passkey. Throws PasskeyRefused. Its challenge is still to be used. */
export async function readNewPasskey(db: Db, { id, response }: Static<typeof NewCredential>) {
  const { rpID: expectedRPID, origin: expectedOrigin } = partyOf(db)
  const challenge = challengeOf(response.clientDataJSON)
  const { verifyRegistrationResponse } = await webAuthn()
  const { verified, registrationInfo } = await orRefused(verifyRegistrationResponse({
    response: { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response: response as never },
    expectedChallenge: challenge, expectedOrigin, expectedRPID, requireUserVerification: true,
    supportedAlgorithmIDs: ALGORITHMS,
  }))
  if (!verified || !registrationInfo) throw PasskeyRefused({})
  return { challenge, synced: registrationInfo.credentialBackedUp, ...registrationInfo.credential }
}

const Stored = Type.Object({
  id: Type.String(), staffId: Type.String(), publicKey: Type.Unsafe<Buffer>(Type.Any()), counter: Type.Integer(),
  passwordHash: Type.Union([Type.String(), Type.Null()]),
})

/**
 * Whose passkey signed this, and `use`, which uses challenge and counter up in the transaction of what it allows.
 * Throws PasskeyRefused.
 */
export async function readSigned(db: Db, { id, response }: SignedChallenge) {
  const { rpID: expectedRPID, origin: expectedOrigin } = partyOf(db)
  const challenge = challengeOf(response.clientDataJSON)
  const stored = await db.maybe(Stored, sql`
    select passkey.id, staff_id as "staffId", public_key as "publicKey", counter, password_hash as "passwordHash"
    from identity.passkey join identity.staff on staff.id = passkey.staff_id and staff.active
    where credential_id = ${id}`)
  if (!stored) throw PasskeyRefused({})
  const { userHandle } = response
  if (userHandle && Buffer.from(userHandle, 'base64url').toString() !== stored.staffId) throw PasskeyRefused({})
  const { verifyAuthenticationResponse } = await webAuthn()
  const { verified, authenticationInfo: { newCounter } } = await orRefused(verifyAuthenticationResponse({
    response: { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response: response as never },
    credential: { id, publicKey: new Uint8Array(stored.publicKey), counter: stored.counter },
    expectedChallenge: challenge, expectedOrigin, expectedRPID, requireUserVerification: true,
  }))
  if (!verified) throw PasskeyRefused({})
  return {
    staffId: stored.staffId, passwordHash: stored.passwordHash,
    async use(tx: Tx): Promise<void> {
      await useChallenge(tx, challenge, null)
      const counted = await tx.run(sql`
        update identity.passkey set counter = ${newCounter}, last_used_at = now()
        where id = ${stored.id} and (counter < ${newCounter} or (counter = 0 and ${newCounter} = 0))`)
      if (counted === 0) throw PasskeyRefused({})
    },
  }
}

/** Which challenge was signed; that it is one of ours, and unused, the database says. */
function challengeOf(clientDataJSON: string): string {
  try {
    const { challenge } = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()) as { challenge?: unknown }
    if (typeof challenge === 'string') return challenge
  } catch { /* it is no JSON */ }
  throw PasskeyRefused({})
}

/** The library throws for whatever is wrong with an answer. */
function orRefused<T>(verifying: Promise<T>): Promise<T> {
  return verifying.catch((cause: unknown) => { throw Object.assign(PasskeyRefused({}), { cause }) })
}
