// The people who work here. They are invited by mail and set their own password, so nobody ever knows another's.
// Nobody is deleted, only switched off; a change of role or of `active` ends the sessions of that person.
import { Type } from 'typebox'
import { resultId, sql, type Conn, type Context, type Db, type Tx } from '../../platform/db.ts'
import { decodeCursor, encodeCursor, Id, Page, PageQuery, route } from '../../platform/http.ts'
import { Forbidden, InvalidCursor } from '../../platform/problem.ts'
import { forgetActors } from './authenticate.ts'
import {
  Email, EmailTaken, LastOwner, Name, normalEmail, OwnerEverywhere, requireWithin, RoleCode, RoleNotFound, Staff,
  StaffNotFound,
} from './identity.ts'
import { EVERYWHERE, Reach, reachColumns, requireEverywhere, requireLimitsWithin } from './reach.ts'
import { getRole } from './roles.ts'
import { sendToken } from './send-token.ts'

const columns = sql`staff.id, staff.email, staff.name, staff.role_code as role, staff.active,
  staff.created_at as "createdAt", staff.password_hash is null
    and not exists (select from identity.passkey where passkey.staff_id = staff.id)
    and not exists (select from identity.sign_on_account as own where own.staff_id = staff.id) as invited,
  ${reachColumns(sql`staff`)} as reach`

/** Throws StaffNotFound. */
export async function getStaff(conn: Conn, staffId: string): Promise<Staff> {
  const staff = await conn.maybe(Staff, sql`select ${columns} from identity.staff where id = ${staffId}`)
  if (!staff) throw StaffNotFound({ staffId })
  return staff
}

/** Whoever has this e-mail address, if anybody. */
export async function findStaff(conn: Conn, email: string): Promise<Staff | undefined> {
  return conn.maybe(Staff, sql`select ${columns} from identity.staff where email = ${normalEmail(email)}`)
}

type StaffPage = { after?: string | null; limit: number }

/** Staff in the order in which they came, after one of them. */
export async function listStaff(conn: Conn, { after = null, limit }: StaffPage): Promise<Staff[]> {
  return conn.many(Staff, sql`
    select ${columns} from identity.staff where ${after}::uuid is null or id > ${after}::uuid
    order by id limit ${limit}`)
}

type Invited = { email: string; name: string; role: string; reach?: Reach }

/**
 * Adds somebody and sends the invitation. Throws EmailTaken, RoleNotFound, and Forbidden for a role above one's own.
 */
async function inviteStaff(tx: Tx, id: string, input: Invited): Promise<Staff> {
  const { reach = EVERYWHERE } = input
  await requireMayGive(tx, input.role)
  const staff = await tx.one(Staff, sql`
    insert into identity.staff (id, email, name, role_code, channel_ids, location_ids, company_ids)
    values (${id}, ${normalEmail(input.email)}, ${input.name}, ${input.role}, ${reach.channelIds}::uuid[],
      ${reach.locationIds}::uuid[], ${reach.companyIds}::uuid[])
    returning ${columns}`)
  await sendToken(tx, staff, 'invitation')
  return staff
}

type StaffChange = { name?: string; role?: string; active?: boolean; reach?: Reach }

/**
 * Changes somebody. Throws StaffNotFound, RoleNotFound, LastOwner, and Forbidden when either role is above one's own.
 */
async function updateStaff(tx: Tx, staffId: string, change: StaffChange): Promise<Staff> {
  const before = await tx.maybe(Staff, sql`select ${columns} from identity.staff where id = ${staffId} for update`)
  if (!before) throw StaffNotFound({ staffId })
  await requireAbove(tx, before)
  if (change.role !== undefined) await requireMayGive(tx, change.role)
  const { channelIds, locationIds, companyIds } = change.reach ?? before.reach
  const after = await tx.one(Staff, sql`
    update identity.staff set name = ${change.name ?? before.name}, role_code = ${change.role ?? before.role},
      active = ${change.active ?? before.active}, channel_ids = ${channelIds}::uuid[],
      location_ids = ${locationIds}::uuid[], company_ids = ${companyIds}::uuid[]
    where id = ${staffId} returning ${columns}`)
  // After the update: whoever signs in at this moment waits for it or is found here.
  if (after.role !== before.role || !after.active) await endSessions(tx, staffId)
  return after
}

/** Ends every session of somebody, but for one. Answers how many. */
export async function endSessions(tx: Tx, staffId: string, except: string | null = null): Promise<number> {
  return tx.run(sql`delete from identity.session where staff_id = ${staffId} and id is distinct from ${except}::uuid`)
}

/** Throws Forbidden for somebody who may more than the actor. */
export const requireAbove = (tx: Tx, staff: Staff): Promise<void> => requireMayGive(tx, staff.role)

/** Throws RoleNotFound, and Forbidden for a role with more permissions or wider limits than the actor's own. */
async function requireMayGive(tx: Tx, code: string): Promise<void> {
  const { permissions, limits } = await getRole(tx, code)
  requireEverywhere(tx.context.actor)
  requireWithin(tx.context.actor, permissions)
  requireLimitsWithin(tx.context.actor, limits)
}

async function change<T>(db: Db, context: Context, fn: (tx: Tx) => Promise<T>): Promise<T> {
  const result = await db.transaction(context, fn)
  forgetActors(db)
  return result
}

const params = Type.Object({ staffId: Id })
const tags = ['Staff']
const read = { permission: 'identity:read' }
const write = { permission: 'identity:write' }

const getStaffList = route({
  method: 'GET', path: '/admin/staff', access: read, tags, summary: 'List staff',
  query: Type.Object(PageQuery), response: { 200: Page(Staff) }, problems: [InvalidCursor],
  async run({ db, query: { limit = 20, cursor } }) {
    const after = cursor ? String(decodeCursor(cursor, [Id])[0]) : null
    const items = await listStaff(db, { after, limit: limit + 1 })
    const page = items.slice(0, limit)
    return { items: page, nextCursor: items.length > limit ? encodeCursor([page.at(-1)!.id]) : null }
  },
})

const readStaff = route({
  method: 'GET', path: '/admin/staff/:staffId', access: read, tags, summary: 'Read a member of staff',
  params, response: { 200: Staff }, problems: [StaffNotFound],
  run: ({ db, params: { staffId } }) => getStaff(db, staffId),
})

const postStaff = route({
  method: 'POST', path: '/admin/staff', access: write, sensitive: true, tags, summary: 'Invite somebody to the staff',
  description: 'Sends a mail with a link, valid for three days, under which they set their password.',
  body: Type.Object({ email: Email, name: Name, role: RoleCode, reach: Type.Optional(Reach) }),
  response: { 201: Staff }, problems: [EmailTaken, RoleNotFound, OwnerEverywhere],
  replay: ({ db, resultId: id }) => getStaff(db, id),
  run: ({ db, context, body }) => db.transaction(context, (tx) => inviteStaff(tx, resultId(context), body)),
})

const patchStaff = route({
  method: 'PATCH', path: '/admin/staff/:staffId', access: write, sensitive: true, tags,
  summary: 'Change a member of staff',
  params, body: Type.Partial(
    Type.Object({ name: Name, role: RoleCode, active: Type.Boolean(), reach: Reach }), { minProperties: 1 }),
  response: { 200: Staff }, problems: [StaffNotFound, RoleNotFound, LastOwner, OwnerEverywhere],
  run: ({ db, context, params: { staffId }, body }) => change(db, context, (tx) => updateStaff(tx, staffId, body)),
})

const postInvitation = route({
  method: 'POST', path: '/admin/staff/:staffId/invitation', operationId: 'inviteAgain', access: write, tags,
  summary: 'Send the invitation again', params, response: { 202: Staff }, problems: [StaffNotFound], replay: 'none',
  run: ({ db, context, params: { staffId } }) => db.transaction(context, async (tx) => {
    const staff = await getStaff(tx, staffId)
    await requireAbove(tx, staff)
    if (!staff.invited || !staff.active) throw Forbidden({}, 'They have a password already, or are switched off.')
    await sendToken(tx, staff, 'invitation')
    return staff
  }),
})

const deleteInvitation = route({
  method: 'DELETE', path: '/admin/staff/:staffId/invitation', operationId: 'revokeInvitation', access: write, tags,
  summary: 'Take an invitation back',
  description: 'Its link stops working. Sent again, another one works. Asked twice it changes nothing more.',
  params, response: { 204: null }, problems: [StaffNotFound],
  run: ({ db, context, params: { staffId } }) => db.transaction(context, async (tx) => {
    await requireAbove(tx, await getStaff(tx, staffId))
    await tx.run(sql`delete from identity.one_time_token where staff_id = ${staffId} and purpose = 'invitation'`)
  }),
})

const deleteStaffSessions = route({
  method: 'DELETE', path: '/admin/staff/:staffId/sessions', operationId: 'signOutStaff', access: write, tags,
  summary: 'Sign somebody out everywhere', params, response: { 200: Type.Object({ ended: Type.Integer() }) },
  problems: [StaffNotFound],
  run: ({ db, context, params: { staffId } }) => change(db, context, async (tx) => {
    await requireAbove(tx, await getStaff(tx, staffId))
    return { ended: await endSessions(tx, staffId) }
  }),
})

export const staffRoutes = [
  getStaffList, readStaff, postStaff, patchStaff, postInvitation, deleteInvitation, deleteStaffSessions,
]
