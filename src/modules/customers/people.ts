// Customers: found by their mail address, made by staff or by their first order.
import { Type, type Static } from 'typebox'
import { joined, resultId, sql, type Conn, type Db, type Statement, type Tx } from '../../platform/db.ts'
import { derivedToken } from '../../platform/derived-token.ts'
import { decodeCursor, encodeCursor, Id, Page, PageQuery, route } from '../../platform/http.ts'
import { newId } from '../../platform/id.ts'
import { InvalidCursor } from '../../platform/problem.ts'
import { Customer, CustomerEmailTaken, CustomerInput, CustomerNotFound, Tag } from './customers.ts'

/** People are who they are however they type their address. */
export const normalEmail = (email: string): string => email.trim().normalize('NFC').toLowerCase()

/** The mark of a person: always the same for an address, and without the secret of the shop it leads to nobody. */
export const subjectOf = (db: Db, email: string): Promise<string> =>
  derivedToken(db, '', `person ${normalEmail(email)}`)

/** Customers that fit, in the order in which they came. `scope` is about customers.customer. */
export function readCustomers(
  conn: Conn, scope: Statement, { after = null, limit }: { after?: string | null; limit: number },
): Promise<Customer[]> {
  return conn.many(Customer, sql`
    select id, email, name, phone, note, tags, created_at as "createdAt", updated_at as "updatedAt",
      array(select group_id from customers.membership where customer_id = customer.id order by 1) as "groupIds",
      coalesce((select jsonb_agg(jsonb_build_object('currency', currency, 'orders', orders, 'spentMinor', spent_minor,
          'lastAt', to_char(last_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) order by currency)
        from customers.purchase_total where customer_id = customer.id and orders > 0), '[]') as purchases
    from customers.customer where ${scope} and (${after}::uuid is null or id > ${after}::uuid)
    order by id limit ${limit}`)
}

/** Throws CustomerNotFound. */
export async function getCustomer(conn: Conn, customerId: string): Promise<Customer> {
  const [customer] = await readCustomers(conn, sql`id = ${customerId}`, { limit: 1 })
  if (!customer) throw CustomerNotFound({})
  return customer
}

/** A page of customers, for lists and segments. */
export async function pageOfCustomers(conn: Conn, scope: Statement, query: { limit?: number; cursor?: string }) {
  const { limit = 20, cursor } = query
  const after = cursor ? String(decodeCursor(cursor, [Id])[0]) : null
  const rows = await readCustomers(conn, scope, { after, limit: limit + 1 })
  const items = rows.slice(0, limit)
  return { items, nextCursor: rows.length > limit ? encodeCursor([items.at(-1)!.id]) : null }
}

type New = { email: string; subject: string } & Partial<Static<typeof Fields>>
const Fields = Type.Object(CustomerInput)

/** Throws CustomerEmailTaken. */
async function addCustomer(tx: Tx, id: string, input: New): Promise<void> {
  const { email, subject, name = null, phone = null, note = null, tags = [] } = input
  await tx.run(sql`insert into customers.customer (id, email, subject, name, phone, note, tags)
    values (${id}, ${normalEmail(email)}, ${subject}, ${name}, ${phone}, ${note}, ${tags})`)
}

/** The customer of an address, made if there is none. Asked twice, or at once, it is one. */
export async function ensureCustomer(tx: Tx, input: New): Promise<string> {
  const email = normalEmail(input.email)
  await tx.run(sql`insert into customers.customer (id, email, subject, name)
    values (${newId()}, ${email}, ${input.subject}, ${input.name ?? null}) on conflict (email) do nothing`)
  return (await tx.one(Type.Object({ id: Type.String() }), sql`
    select id from customers.customer where email = ${email}`)).id
}

const params = Type.Object({ customerId: Id })
const tags = ['Customers']
const read = { permission: 'customers:read' }
const write = { permission: 'customers:write' }

const listCustomers = route({
  method: 'GET', path: '/admin/customers', access: read, tags, summary: 'List customers, the oldest first',
  query: Type.Object({
    ...PageQuery, email: Type.Optional(Type.String({ maxLength: 254 })), groupId: Type.Optional(Id),
    tag: Type.Optional(Tag),
  }),
  response: { 200: Page(Customer) }, problems: [InvalidCursor],
  run({ db, query }) {
    const wanted = [sql`true`]
    if (query.email) wanted.push(sql`email = ${normalEmail(query.email)}`)
    if (query.tag) wanted.push(sql`tags @> ${[query.tag]}`)
    if (query.groupId) wanted.push(sql`id in (
      select customer_id from customers.membership where group_id = ${query.groupId})`)
    return pageOfCustomers(db, joined(wanted, sql` and `), query)
  },
})

const readCustomer = route({
  method: 'GET', path: '/admin/customers/:customerId', access: read, tags, summary: 'Read a customer',
  params, response: { 200: Customer }, problems: [CustomerNotFound],
  run: ({ db, params: { customerId } }) => getCustomer(db, customerId),
})

const postCustomer = route({
  method: 'POST', path: '/admin/customers', access: write, tags, summary: 'Add a customer',
  description: 'Whoever orders is added without this.',
  body: Type.Object({
    email: Type.String({ format: 'email', maxLength: 254 }), ...Type.Partial(Fields).properties,
  }),
  response: { 201: Customer }, problems: [CustomerEmailTaken],
  replay: ({ db, resultId: id }) => getCustomer(db, id),
  async run({ db, context, body }) {
    const [id, subject] = [resultId(context), await subjectOf(db, body.email)]
    return db.transaction(context, async (tx) => {
      await addCustomer(tx, id, { ...body, subject })
      return getCustomer(tx, id)
    })
  },
})

const patchCustomer = route({
  method: 'PATCH', path: '/admin/customers/:customerId', access: write, tags, summary: 'Change a customer',
  params, body: Type.Partial(Fields, { minProperties: 1 }), response: { 200: Customer }, problems: [CustomerNotFound],
  run: ({ db, context, params: { customerId }, body }) => db.transaction(context, async (tx) => {
    const before = await getCustomer(tx, customerId)
    const { name, phone, note, tags: marks } = { ...before, ...body }
    await tx.run(sql`update customers.customer set name = ${name}, phone = ${phone}, note = ${note}, tags = ${marks},
      updated_at = now() where id = ${customerId}`)
    return getCustomer(tx, customerId)
  }),
})

export const customerRoutes = [listCustomers, readCustomer, postCustomer, patchCustomer]
