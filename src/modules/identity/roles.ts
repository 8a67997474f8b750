// Roles: lists of permissions. The four system roles are code and the same in every shop; the others are the
// merchant's own.
import { Type, type Static } from 'typebox'
import { json, sql, type Conn } from '../../platform/db.ts'
import { route } from '../../platform/http.ts'
import { forgetActors } from './authenticate.ts'
import {
  Name, permissions, PermissionUnknown, Permissions, permissionsOf, pluginPermissions, requireKnown, requireWithin,
  Role, RoleCode, RoleCodeTaken, RoleFixed, RoleInUse, RoleNotFound, secondFactorForAll,
} from './identity.ts'
import { limitColumns, Limits, limitsOf, requireLimitsWithin } from './reach.ts'

const RoleRow = Type.Object({
  code: Type.String(), name: Type.String(), system: Type.Boolean(),
  permissions: Type.Union([Type.Array(Type.String()), Type.Null()]), limits: Limits, secondFactor: Type.Boolean(),
})
type RoleRow = Static<typeof RoleRow>
const columns = sql`code, name, system, permissions, ${limitColumns(sql`role`)} as limits,
  second_factor as "secondFactor"`

/** Throws RoleNotFound. */
export async function getRole(conn: Conn, code: string): Promise<Role> {
  const row = await conn.maybe(RoleRow, sql`select ${columns} from identity.role where code = ${code}`)
  if (!row) throw RoleNotFound({ role: code })
  return roleOf(conn, row)
}

const roleOf = (conn: Conn, row: RoleRow): Role => ({
  ...row, permissions: [...permissionsOf(row)], secondFactor: row.secondFactor || secondFactorForAll.of(conn),
})

const params = Type.Object({ code: RoleCode })
const tags = ['Roles']
const write = { permission: 'identity:write' }

const listRoles = route({
  method: 'GET', path: '/admin/roles', access: { permission: 'identity:read' }, tags,
  summary: 'List roles, and what may be permitted',
  response: { 200: Type.Object({ items: Type.Array(Role), permissions: Type.Record(Type.String(), Type.String()) }) },
  async run({ db }) {
    const rows = await db.many(RoleRow, sql`
      select ${columns} from identity.role order by system desc, name, code limit 1000`)
    const ofPlugins = pluginPermissions.of(db).map((name) => [name, 'Of a plugin'])
    const all = { ...permissions, ...Object.fromEntries(ofPlugins) as Record<string, string> }
    return { items: rows.map((row) => roleOf(db, row)), permissions: all }
  },
})

const postRole = route({
  method: 'POST', path: '/admin/roles', access: write, sensitive: true, tags, summary: 'Create a role',
  body: Type.Object({ code: RoleCode, name: Name, permissions: Permissions, limits: Type.Optional(Limits) }),
  response: { 201: Role }, problems: [RoleCodeTaken, PermissionUnknown], replay: 'none',
  run: ({ db, context, body }) => db.transaction(context, async (tx) => {
    const { code, name, permissions, limits = limitsOf(context.actor) } = body
    requireKnown(tx, permissions)
    requireWithin(context.actor, permissions)
    requireLimitsWithin(context.actor, limits)
    await tx.run(sql`
      insert into identity.role (code, name, permissions, refund_limits, discount_limit_ppm)
      values (${code}, ${name}, ${permissions}, ${limits.refund && json(limits.refund)}::jsonb, ${limits.discountPpm})`)
    return getRole(tx, body.code)
  }),
})

const putRole = route({
  method: 'PUT', path: '/admin/roles/:code', access: write, sensitive: true, tags, summary: 'Replace a role',
  description: 'Everybody who has it is permitted the new list within a second.',
  params, body: Type.Object({ name: Name, permissions: Permissions, limits: Type.Optional(Limits) }),
  response: { 200: Role }, problems: [RoleNotFound, RoleFixed, PermissionUnknown],
  async run({ db, context, params: { code }, body }) {
    const role = await db.transaction(context, async (tx) => {
      const before = await getRole(tx, code)
      if (before.system) throw RoleFixed({})
      const { name, permissions, limits = before.limits } = body
      requireKnown(tx, permissions, before.permissions)
      requireWithin(context.actor, [...before.permissions, ...permissions])
      for (const one of [before.limits, limits]) requireLimitsWithin(context.actor, one)
      await tx.run(sql`
        update identity.role set name = ${name}, permissions = ${permissions},
          discount_limit_ppm = ${limits.discountPpm},
          refund_limits = ${limits.refund && json(limits.refund)}::jsonb
        where code = ${code}`)
      return getRole(tx, code)
    })
    forgetActors(db)
    return role
  },
})

const putSecondFactor = route({
  method: 'PUT', path: '/admin/roles/:code/second-factor', operationId: 'requireSecondFactor', access: write,
  sensitive: true, tags, summary: 'Say whether a role needs a second factor',
  description: 'Of system roles, too. Whoever has the role and no factor is signed in as before, and may do nothing ' +
    'but look after their own account, where they add one: nobody is locked out. It holds within a second, also for ' +
    'sessions that are open. Where shop.config.ts asks for it from all, a role cannot do without.',
  params, body: Type.Object({ required: Type.Boolean() }), response: { 200: Role }, problems: [RoleNotFound],
  async run({ db, context, params: { code }, body }) {
    const role = await db.transaction(context, async (tx) => {
      requireWithin(context.actor, (await getRole(tx, code)).permissions)
      await tx.run(sql`update identity.role set second_factor = ${body.required} where code = ${code}`)
      return getRole(tx, code)
    })
    forgetActors(db)
    return role
  },
})

const deleteRole = route({
  method: 'DELETE', path: '/admin/roles/:code', access: write, tags, summary: 'Delete a role that nobody has',
  params, response: { 204: null }, problems: [RoleNotFound, RoleFixed, RoleInUse],
  run: ({ db, context, params: { code } }) => db.transaction(context, async (tx) => {
    const role = await getRole(tx, code)
    if (role.system) throw RoleFixed({})
    requireWithin(context.actor, role.permissions)
    await tx.run(sql`delete from identity.role where code = ${code}`)
  }),
})

export const roleRoutes = [listRoles, postRole, putRole, putSecondFactor, deleteRole]
