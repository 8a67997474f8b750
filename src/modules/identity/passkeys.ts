// Passkeys (WebAuthn), of staff and of customers: what a device has to sign, and whether it did. A challenge is used
// once and within five minutes; user verification is always required, so that a passkey is two factors in one. Address
// and name of the shop come from its configuration, never from a request. What is wrong gets one answer.
import { Type, type Static } from 'typebox'
import { mapConstraint, type Db, type Tx } from '../../platform/db.ts'
import { hashToken } from '../../platform/id.ts'
import { Id, Timestamp } from '../../platform/http.ts'
import { problem } from '../../platform/problem.ts'
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

export const Passkey = Type.Object({
  id: Id, name: Type.String(), createdAt: Timestamp, lastUsedAt: Type.Union([Timestamp, Type.Null()]),
  synced: Type.Boolean({ description: 'Kept by its maker on several devices of the person' }),
})
/** What goes to the browser's own function as it is; its shape is that of the WebAuthn standard. */
export const PasskeyOptions = Type.Object({ options: Type.Unsafe<object>(Type.Any({
  description: 'For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`',
})) })

export const PasskeyNotFound = problem('passkey-not-found', 404, 'No such passkey')
export const PasskeyThere = problem('passkey-there', 409, 'This passkey belongs to an account already')
mapConstraint('passkey_credential_unique', () => PasskeyThere({}))

export const StoredPasskey = Type.Object({
  id: Type.String(), holderId: Type.String(), publicKey: Type.Unsafe<Buffer>(Type.Any()), counter: Type.Integer(),
  passwordHash: Type.Union([Type.String(), Type.Null()]),
})
export const KnownCredential = Type.Object({ credentialId: Type.String(), transports: Type.Array(Type.String()) })
/** A challenge with a holder adds a passkey to them, without one it signs in. */
type Challenge = { hash: Buffer; holderId: string | null }

/** Whose passkeys they are: the pages on which they are made and used, and the tables in which they lie. */
export type Holders = {
  pages: (db: Db) => string
  keepChallenge: (db: Db, challenge: Challenge, seconds: number) => Promise<unknown>
  /** Answers how many there were: one, or none where it is used or over. */
  useChallenge: (tx: Tx, challenge: Challenge) => Promise<number>
  credentialsOf: (db: Db, holderId: string) => Promise<Static<typeof KnownCredential>[]>
  find: (db: Db, credentialId: string) => Promise<Static<typeof StoredPasskey> | undefined>
  /** Notes a use; answers how many were changed: none where the counter did not grow. */
  count: (tx: Tx, passkeyId: string, counter: number) => Promise<number>
}

function partyOf(db: Db, { pages }: Holders): { rpID: string; origin: string } {
  const { hostname, origin } = new URL(pages(db))
  return { rpID: hostname, origin }
}

async function kept<T extends { challenge: string }>(
  db: Db, holders: Holders, options: T, holderId: string | null,
): Promise<T> {
  await holders.keepChallenge(db, { hash: hashToken(options.challenge), holderId }, VALID_SECONDS)
  return options
}

/** Uses a challenge up. Throws PasskeyRefused; of many at once, one succeeds. */
export async function useChallenge(
  tx: Tx, holders: Holders, challenge: string, holderId: string | null,
): Promise<void> {
  if (await holders.useChallenge(tx, { hash: hashToken(challenge), holderId }) === 0) throw PasskeyRefused({})
}

type Person = { id: string; email: string; name: string }

/** What a browser needs to make a passkey for somebody. */
export async function registrationOptions(db: Db, holders: Holders, { id, email, name }: Person) {
  const { rpID } = partyOf(db, holders)
  const known = await holders.credentialsOf(db, id)
  const { generateRegistrationOptions } = await webAuthn()
  return kept(db, holders, await generateRegistrationOptions({
    rpID, rpName: rpID, userName: email, userDisplayName: name, userID: new Uint8Array(Buffer.from(id)),
    supportedAlgorithmIDs: ALGORITHMS,
    excludeCredentials: known.map(({ credentialId, transports }) => ({ id: credentialId, transports })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  }), id)
}

/** What a browser needs to sign in, or to prove who is there: no account is named, the device knows. */
export async function signInOptions(db: Db, holders: Holders) {
  const { generateAuthenticationOptions } = await webAuthn()
  return kept(db, holders, await generateAuthenticationOptions(
    { rpID: partyOf(db, holders).rpID, userVerification: 'required' }), null)
}

/** Reads a new passkey. Throws PasskeyRefused. Its challenge is still to be used. */
export async function readNewPasskey(db: Db, holders: Holders, { id, response }: Static<typeof NewCredential>) {
  const { rpID: expectedRPID, origin: expectedOrigin } = partyOf(db, holders)
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

/**
 * Whose passkey signed this, and `use`, which uses challenge and counter up in the transaction of what it allows.
 * Throws PasskeyRefused.
 */
export async function readSigned(db: Db, holders: Holders, { id, response }: SignedChallenge) {
  const { rpID: expectedRPID, origin: expectedOrigin } = partyOf(db, holders)
  const challenge = challengeOf(response.clientDataJSON)
  const stored = await holders.find(db, id)
  if (!stored) throw PasskeyRefused({})
  const { userHandle } = response
  if (userHandle && Buffer.from(userHandle, 'base64url').toString() !== stored.holderId) throw PasskeyRefused({})
  const { verifyAuthenticationResponse } = await webAuthn()
  const { verified, authenticationInfo: { newCounter } } = await orRefused(verifyAuthenticationResponse({
    response: { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response: response as never },
    credential: { id, publicKey: new Uint8Array(stored.publicKey), counter: stored.counter },
    expectedChallenge: challenge, expectedOrigin, expectedRPID, requireUserVerification: true,
  }))
  if (!verified) throw PasskeyRefused({})
  return {
    holderId: stored.holderId, passwordHash: stored.passwordHash,
    async use(tx: Tx): Promise<void> {
      await useChallenge(tx, holders, challenge, null)
      if (await holders.count(tx, stored.id, newCounter) === 0) throw PasskeyRefused({})
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
