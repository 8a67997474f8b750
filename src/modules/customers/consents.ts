// The ledger of consents: who agreed to what, in which words, and when they withdrew it. Rows are only added; the
// newest of a purpose counts. It survives an erasure, because it proves that a mail was allowed, and by then names
// nobody.
import { Type, type Static } from 'typebox'
import { sql, type Conn, type Db, type Tx } from '../../platform/db.ts'
import { Id, route, Timestamp } from '../../platform/http.ts'
import { newId } from '../../platform/id.ts'
import { Code, CustomerNotFound } from './customers.ts'
import { getCustomer, subjectOf } from './people.ts'

const Consent = Type.Object({
  purpose: Code, granted: Type.Boolean(),
  wording: Type.String({ minLength: 1, maxLength: 5_000, description: 'The sentence that they agreed to' }),
  source: Type.String({ minLength: 1, maxLength: 100, description: 'Where: checkout, account, telephone' }),
})
const { source: _, ...own } = Consent.properties
/** What customers say themselves; the shop knows where. */
export const OwnConsent = Type.Object(own)
export const Recorded = Type.Object({ ...Consent.properties, at: Timestamp })

/** What a person agreed to, the newest first. */
export async function consentsOf(conn: Conn, subject: string): Promise<Static<typeof Recorded>[]> {
  return conn.many(Recorded, sql`
    select purpose, granted, wording, source, at from customers.consent where subject = ${subject}
    order by at desc, id desc limit 1000`)
}

/** Each call is a row: said twice, it was said twice. */
export async function recordConsent(tx: Tx, subject: string, consent: Static<typeof Consent>): Promise<void> {
  const { purpose, granted, wording, source } = consent
  await tx.run(sql`insert into customers.consent (id, subject, purpose, granted, wording, source, at)
    values (${newId()}, ${subject}, ${purpose}, ${granted}, ${wording}, ${source}, clock_timestamp())`)
}

const params = Type.Object({ customerId: Id })
const tags = ['Customers']

const listConsents = route({
  method: 'GET', path: '/admin/customers/:customerId/consents', access: { permission: 'customers:read' }, tags,
  summary: 'List what a customer agreed to, and when', params,
  response: { 200: Type.Object({ items: Type.Array(Recorded) }) }, problems: [CustomerNotFound],
  async run({ db, params: { customerId } }) {
    const { email } = await getCustomer(db, customerId)
    return { items: await consentsOf(db, await subjectOf(db, email)) }
  },
})

const postConsent = route({
  method: 'POST', path: '/admin/customers/:customerId/consents', access: { permission: 'customers:write' }, tags,
  summary: 'Record that a customer agrees, or no longer does', params, body: Consent,
  response: { 201: Type.Object({ items: Type.Array(Recorded) }) }, problems: [CustomerNotFound],
  replay: async ({ db, params: { customerId } }) => {
    const { email } = await getCustomer(db, customerId)
    return { items: await consentsOf(db, await subjectOf(db, email)) }
  },
  async run({ db, context, params: { customerId }, body }) {
    const subject = await subjectOf(db, (await getCustomer(db, customerId)).email)
    return db.transaction(context, async (tx) => {
      await recordConsent(tx, subject, body)
      return { items: await consentsOf(tx, subject) }
    })
  },
})

export const consentRoutes = [listConsents, postConsent]
