// The rights of a person about their data: all of it as one document, and its erasure. The person is known by their
// mail address, with an account or without. Both are recorded (who did it is in the audit log), and neither names
// anybody.
import { Type, type Static } from 'typebox'
import { json, sql, type Context, type Db, type Tx } from '../../platform/db.ts'
import { Id, route, Timestamp } from '../../platform/http.ts'
import { newId } from '../../platform/id.ts'
import { problem } from '../../platform/problem.ts'
import { forgetErrorsAbout } from '../../platform/retention.ts'
import { accountOfPerson, eraseAccount, personOf } from '../accounts/person.ts'
import { cartsOfPerson, eraseCarts } from '../checkout/person.ts'
import { CustomerAddress, Customer } from '../customers/customers.ts'
import { customerOfPerson, eraseCustomer } from '../customers/person.ts'
import { normalEmail, subjectOf } from '../customers/people.ts'
import { eraseMessages, messagesToPerson } from '../notifications/person.ts'
import { Order } from '../orders/orders.ts'
import { eraseFromOrders, ordersOfPerson, readOrders } from '../orders/person.ts'
import { paymentsOf } from '../payments/get-payment.ts'
import { Payment } from '../payments/payments.ts'
import { eraseFromPayments } from '../payments/person.ts'

export const OrdersOpen = problem(
  'orders-open', 409, 'An order of this person still waits for its payment: cancel it, or wait until it lapses')

const Counts = Type.Object({
  customers: Type.Integer(), orders: Type.Integer(), carts: Type.Integer(), messages: Type.Integer(),
})
type Counts = Static<typeof Counts>
export const Request = Type.Object({ id: Id, kind: Type.Enum(['export', 'erasure']), counts: Counts, at: Timestamp })

const loose = Type.Record(Type.String(), Type.Unknown())
export const Person = Type.Object({
  email: Type.String(), account: Type.Union([loose, Type.Null()]),
  customer: Type.Union([Customer, Type.Null()]), addresses: Type.Array(CustomerAddress),
  consents: Type.Array(loose), orders: Type.Array(Order), payments: Type.Array(Payment), carts: Type.Array(loose),
  messages: Type.Array(loose),
})

async function note(tx: Tx, kind: 'export' | 'erasure', subject: string, counts: Counts) {
  return tx.one(Request, sql`
    insert into privacy.request (id, kind, subject, counts)
    values (${newId()}, ${kind}, ${subject}, ${json(counts)}::jsonb) returning id, kind, counts, at`)
}

/** Everything that the shop knows of a person. Whom it does not know gets an empty document. */
export async function exportPerson(db: Db, context: Context, address: string): Promise<Static<typeof Person>> {
  const email = normalEmail(address)
  const { subject, ...known } = await customerOfPerson(db, email)
  const person = await personOf(db, email)
  const { ids } = await ordersOfPerson(db, person)
  const [orders, carts, messages] = [
    await readOrders(db, ids), await cartsOfPerson(db, person), await messagesToPerson(db, person),
  ]
  const payments = []
  for (const id of ids) payments.push(...await paymentsOf(db, id))
  await db.transaction(context, (tx) => note(tx, 'export', subject, {
    customers: known.customer ? 1 : 0, orders: orders.length, carts: carts.length, messages: messages.length,
  }))
  const account = await accountOfPerson(db, email)
  return { email, account, ...known, orders, payments, carts, messages }
}

/**
 * Removes a person in one transaction, but for what the law asks of orders. Throws OrdersOpen. Asked twice it finds
 * nothing more.
 */
export async function erasePerson(db: Db, context: Context, address: string): Promise<Static<typeof Request>> {
  const email = normalEmail(address)
  const subject = await subjectOf(db, email)
  return db.transaction(context, async (tx) => {
    const person = await personOf(tx, email)
    const { ids, emails, open } = await ordersOfPerson(tx, person)
    if (open) throw OrdersOpen({})
    // In the order of the locks: the account, a cart, its order, its payment; the customer last (count-purchases.ts).
    await eraseAccount(tx, email)
    const carts = await eraseCarts(tx, person, ids)
    const orders = await eraseFromOrders(tx, ids)
    await eraseFromPayments(tx, ids)
    const messages = await eraseMessages(tx, person, { ids, emails })
    const counts = { customers: await eraseCustomer(tx, email), orders, carts, messages }
    for (const one of person.emails) await forgetErrorsAbout(tx, one)
    return note(tx, 'erasure', subject, counts)
  })
}

const tags = ['Privacy']
const access = { permission: 'privacy:write' }
const body = Type.Object({ email: Type.String({ format: 'email', maxLength: 254 }) })

const postExport = route({
  method: 'POST', path: '/admin/privacy/exports', operationId: 'exportPerson', access, tags,
  summary: 'Everything about a person, as one document', body, response: { 200: Person }, replay: 'none',
  run: ({ db, context, body: { email } }) => exportPerson(db, context, email),
})

const postErasure = route({
  method: 'POST', path: '/admin/privacy/erasures', operationId: 'erasePerson', access, tags,
  summary: 'Erase a person',
  description: 'Removes the customer, carts and messages, and takes the person out of their orders. What was sold, ' +
    'at which price and tax and to which place stays, because the law asks for it. It cannot be undone.',
  body, response: { 200: Request }, problems: [OrdersOpen], replay: 'none',
  run: ({ db, context, body: { email } }) => erasePerson(db, context, email),
})

const listRequests = route({
  method: 'POST', path: '/admin/privacy/requests', operationId: 'listPrivacyRequests', access, tags,
  summary: 'What was exported and erased for a person, and when',
  description: 'A POST, so that the address stands in no log.', body,
  response: { 200: Type.Object({ items: Type.Array(Request) }) }, replay: 'none',
  async run({ db, body: { email } }) {
    return { items: await db.many(Request, sql`
      select id, kind, counts, at from privacy.request where subject = ${await subjectOf(db, email)}
      order by at desc limit 100`) }
  },
})

export const adminRoutes = [postExport, postErasure, listRequests]
