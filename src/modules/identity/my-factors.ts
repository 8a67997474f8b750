// The own second factor: an authenticator app and the recovery codes. Each change wants a recent proof, ends the other
// sessions, and is told by mail.
import { Type } from 'typebox'
import { sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { mailSettings } from '../notifications/mail.ts'
import { forgetActors } from './authenticate.ts'
import { StaffNotFound } from './identity.ts'
import { signedIn } from './me.ts'
import {
  Code, CodeRefused, confirmTotp, FactorMissing, FactorThere, newRecoveryCodes, newTotp, removeFactors, removeTotp,
  tellOfChange,
} from './second-factor.ts'
import { endSessions, getStaff, requireAbove } from './staff.ts'
import { base32, totpUrl } from './totp.ts'

/** A change of the ways in, with what belongs to each. */
export async function changeFactors<T>(
  db: Db, context: Context, what: string, fn: (tx: Tx, staffId: string) => Promise<T>
): Promise<T> {
  const { id, sessionId } = signedIn(context)
  const result = await db.transaction(context, async (tx) => {
    const done = await fn(tx, id)
    await Promise.all([endSessions(tx, id, sessionId), tellOfChange(tx, id, what)])
    return done
  })
  forgetActors(db)
  return result
}

const tags = ['Own account']
const Codes = Type.Object({ recoveryCodes: Type.Array(Type.String(), {
  description: 'Shown now and never again. Each lets in once whoever has lost the second factor',
}) })
const Factors = Type.Object({ totp: Type.Boolean(), recoveryCodes: Type.Integer() })

const getFactors = route({
  method: 'GET', path: '/admin/me/factors', operationId: 'getMyFactors', access: 'staff', tags,
  summary: 'Which second factors I have', response: { 200: Factors },
  run: ({ db, context }) => db.one(Factors, sql`
    select (select count(*) from identity.totp where staff_id = staff.id and confirmed_at is not null) = 1 as totp,
      (select count(*) from identity.recovery_code where staff_id = staff.id) as "recoveryCodes"
    from identity.staff where id = ${signedIn(context).id}`),
})

const postTotp = route({
  method: 'POST', path: '/admin/me/totp', operationId: 'newAuthenticatorApp', access: 'staff', sensitive: true, tags,
  summary: 'A secret for an authenticator app',
  description: 'Show the address as a QR code, then confirm with a code: until then nothing changes. Asked again, it ' +
    'is another secret.',
  response: { 200: Type.Object({ secret: Type.String(), url: Type.String() }) }, problems: [FactorThere],
  replay: 'none',
  async run({ db, context }) {
    const { id } = signedIn(context)
    const { secret, keep } = await newTotp(db, id)
    await db.transaction(context, keep)
    const { email: account } = await getStaff(db, id)
    const issuer = new URL(mailSettings.of(db).shopUrl).host
    return { secret: base32(secret), url: totpUrl({ secret, issuer, account }) }
  },
})

const putTotp = route({
  method: 'PUT', path: '/admin/me/totp', operationId: 'confirmAuthenticatorApp', access: 'staff', sensitive: true, tags,
  summary: 'Confirm an authenticator app', description: 'From now on signing in wants a code.',
  body: Type.Object({ code: Code }), response: { 200: Codes }, problems: [CodeRefused, FactorThere, FactorMissing],
  async run({ db, context, body }) {
    const confirm = await confirmTotp(db, signedIn(context).id, body.code)
    return changeFactors(db, context, 'An authenticator app was added to your account.', async (tx, id) => {
      await confirm(tx)
      return { recoveryCodes: await newRecoveryCodes(tx, id) }
    })
  },
})

const deleteTotp = route({
  method: 'DELETE', path: '/admin/me/totp', operationId: 'removeAuthenticatorApp', access: 'staff', sensitive: true,
  tags, summary: 'Remove the authenticator app',
  description: 'And the recovery codes, unless a passkey remains. Asked again it changes nothing.',
  response: { 204: null },
  run: ({ db, context }) => changeFactors(
    db, context, 'The authenticator app was removed from your account.', removeTotp),
})

const postCodes = route({
  method: 'POST', path: '/admin/me/recovery-codes', operationId: 'newRecoveryCodes', access: 'staff', sensitive: true,
  tags, summary: 'New recovery codes in place of the old ones',
  response: { 201: Codes }, problems: [FactorMissing], replay: 'refuse',
  run: ({ db, context }) => changeFactors(
    db, context, 'Your recovery codes were replaced.',
    async (tx, id) => ({ recoveryCodes: await newRecoveryCodes(tx, id) })),
})

const deleteFactors = route({
  method: 'DELETE', path: '/admin/staff/:staffId/factors', operationId: 'removeSecondFactors', sensitive: true,
  access: { permission: 'identity:write' }, tags: ['Staff'], summary: 'Take the second factors of a colleague away',
  description: 'App, passkeys and recovery codes, for somebody who lost them. Ends their sessions and tells them by ' +
    'mail; who has no password asks for a link to set one.',
  params: Type.Object({ staffId: Id }), response: { 204: null }, problems: [StaffNotFound],
  async run({ db, context, params: { staffId } }) {
    await db.transaction(context, async (tx) => {
      await requireAbove(tx, await getStaff(tx, staffId))
      await removeFactors(tx, staffId)
      await Promise.all([
        endSessions(tx, staffId), tellOfChange(tx, staffId, 'A colleague took your second factors away.'),
      ])
    })
    forgetActors(db)
  },
})

export const factorRoutes = [getFactors, postTotp, putTotp, deleteTotp, postCodes, deleteFactors]
