// Seeing the shop as a colleague does, for support: one names whom, for half an hour, which the audit log keeps; a
// request with the header `x-view-as` then reads with that person's permissions and reach, never more than the own.
// Nothing can be written that way, and each answer says whose eyes it was made for (`x-viewing-as`).
import { Type } from 'typebox'
import { sql, type Context, type Tx } from '../../platform/db.ts'
import { Id, route, Timestamp } from '../../platform/http.ts'
import { Forbidden } from '../../platform/problem.ts'
import { forgetActors } from './authenticate.ts'
import { requireWithin, StaffNotFound } from './identity.ts'
import { requireEverywhere } from './reach.ts'
import { getRole } from './roles.ts'
import { getStaff } from './staff.ts'

const MINUTES = 30
const Viewing = Type.Object({ staffId: Id, until: Timestamp })

/** Throws StaffNotFound, and Forbidden for somebody who may more. Asked again it begins again, also for another. */
async function viewAs(tx: Tx, sessionId: string, staffId: string) {
  const staff = await getStaff(tx, staffId)
  if (!staff.active) throw Forbidden({}, 'They are switched off.')
  requireEverywhere(tx.context.actor)
  requireWithin(tx.context.actor, (await getRole(tx, staff.role)).permissions)
  return tx.one(Viewing, sql`
    insert into identity.viewing (session_id, staff_id, until)
    values (${sessionId}, ${staffId}, now() + make_interval(mins => ${MINUTES}))
    on conflict (session_id) do update set staff_id = excluded.staff_id, until = excluded.until
    returning staff_id as "staffId", until`)
}

function sessionOf({ actor }: Context): string {
  if (actor.kind !== 'staff') throw Forbidden({}, 'This is for people who signed in, not for keys.')
  return actor.sessionId
}

const access = { permission: 'identity:view-as' }
const tags = ['Signing in']

const putViewAs = route({
  method: 'PUT', path: '/admin/view-as', operationId: 'viewAs', access, tags,
  summary: 'See the shop as a colleague does',
  description: 'For half an hour, reads of this session with the header `x-view-as: <staffId>` are answered as they ' +
    'are for that person, and carry the header `x-viewing-as`: show a banner. Without the header you are yourself.',
  body: Type.Object({ staffId: Id }), response: { 200: Viewing }, problems: [StaffNotFound],
  async run({ db, context, body }) {
    const viewing = await db.transaction(context, (tx) => viewAs(tx, sessionOf(context), body.staffId))
    forgetActors(db)
    return viewing
  },
})

const deleteViewAs = route({
  method: 'DELETE', path: '/admin/view-as', operationId: 'endViewAs', access: 'staff', tags,
  summary: 'See the shop with your own eyes again', response: { 204: null },
  async run({ db, context }) {
    await db.transaction(context, (tx) => tx.run(sql`
      delete from identity.viewing where session_id = ${sessionOf(context)}`))
    forgetActors(db)
  },
})

export const viewRoutes = [putViewAs, deleteViewAs]
