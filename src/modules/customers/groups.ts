// Groups: customers whom staff put together by hand. Those that follow from what customers do are segments.
import { Type } from 'typebox'
import { resultId, sql, type Conn } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { Code, CustomerNotFound, GroupCodeTaken, GroupName, GroupNotFound } from './customers.ts'

const Group = Type.Object({ id: Id, code: Type.String(), name: Type.String(), customers: Type.Integer() })
const columns = sql`id, code, name,
  (select count(*) from customers.membership where group_id = "group".id)::int as customers`

async function getGroup(conn: Conn, groupId: string) {
  const group = await conn.maybe(Group, sql`select ${columns} from customers."group" where id = ${groupId}`)
  if (!group) throw GroupNotFound({})
  return group
}

const params = Type.Object({ groupId: Id })
const ofMember = Type.Object({ groupId: Id, customerId: Id })
const tags = ['Customers']
const write = { permission: 'customers:write' }
const body = Type.Object({ code: Code, name: GroupName })

const listGroups = route({
  method: 'GET', path: '/admin/customer-groups', access: { permission: 'customers:read' }, tags,
  summary: 'List groups of customers', response: { 200: Type.Object({ items: Type.Array(Group) }) },
  run: async ({ db }) => ({
    items: await db.many(Group, sql`select ${columns} from customers."group" order by code limit 1000`),
  }),
})

const postGroup = route({
  method: 'POST', path: '/admin/customer-groups', access: write, tags, summary: 'Make a group of customers', body,
  response: { 201: Group }, problems: [GroupCodeTaken, GroupNotFound],
  replay: ({ db, resultId: id }) => getGroup(db, id),
  run: ({ db, context, body: { code, name } }) => db.transaction(context, async (tx) => {
    const id = resultId(context)
    await tx.run(sql`insert into customers."group" (id, code, name) values (${id}, ${code}, ${name})`)
    return getGroup(tx, id)
  }),
})

const putGroup = route({
  method: 'PUT', path: '/admin/customer-groups/:groupId', access: write, tags, summary: 'Rename a group of customers',
  params, body, response: { 200: Group }, problems: [GroupNotFound, GroupCodeTaken],
  run: ({ db, context, params: { groupId }, body: { code, name } }) => db.transaction(context, async (tx) => {
    await tx.run(sql`update customers."group" set code = ${code}, name = ${name} where id = ${groupId}`)
    return getGroup(tx, groupId)
  }),
})

const deleteGroup = route({
  method: 'DELETE', path: '/admin/customer-groups/:groupId', access: write, tags,
  summary: 'Remove a group; its customers stay', params, response: { 204: null }, problems: [GroupNotFound],
  run: ({ db, context, params: { groupId } }) => db.transaction(context, async (tx) => {
    if (await tx.run(sql`delete from customers."group" where id = ${groupId}`) === 0) throw GroupNotFound({})
  }),
})

const putMember = route({
  method: 'PUT', path: '/admin/customer-groups/:groupId/customers/:customerId', operationId: 'addToGroup',
  access: write, tags, summary: 'Put a customer into a group', description: 'Asked twice it changes nothing more.',
  params: ofMember, response: { 204: null }, problems: [GroupNotFound, CustomerNotFound],
  run: ({ db, context, params: { groupId, customerId } }) => db.transaction(context, async (tx) => {
    await tx.run(sql`insert into customers.membership (group_id, customer_id) values (${groupId}, ${customerId})
      on conflict do nothing`)
  }),
})

const deleteMember = route({
  method: 'DELETE', path: '/admin/customer-groups/:groupId/customers/:customerId', operationId: 'removeFromGroup',
  access: write, tags, summary: 'Take a customer out of a group', description: 'Asked twice it changes nothing more.',
  params: ofMember, response: { 204: null },
  run: ({ db, context, params: { groupId, customerId } }) => db.transaction(context, async (tx) => {
    await tx.run(sql`delete from customers.membership where group_id = ${groupId} and customer_id = ${customerId}`)
  }),
})

export const groupRoutes = [listGroups, postGroup, putGroup, deleteGroup, putMember, deleteMember]
