// What customers do with their own data in the shop: name and telephone, addresses, consents. The id comes from the
// session alone, so there is no other customer to be asked for.
import { Type } from 'typebox'
import { joined, resultId, signedCustomer, sql, type Context, type Db } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { addAddress, addressesOf, getAddress, removeAddress, replaceAddress } from './addresses.ts'
import { consentsOf, OwnConsent, Recorded, recordConsent } from './consents.ts'
import {
  AddressInput, CustomerAddress, CustomerAddressNotFound, CustomerInput, CustomerNotFound, EmailUnproven, orNull,
  TooManyAddresses,
} from './customers.ts'
import { subjectOf } from './people.ts'

const access = 'customer' as const
const tags = ['Own data']
const ofAddress = Type.Object({ addressId: Id })

const MyProfile = Type.Object({
  customerId: Id, email: Type.String(), name: orNull(Type.String()), phone: orNull(Type.String()),
})
const { name, phone } = CustomerInput

async function profileOf(conn: Db, context: Context) {
  const { id } = signedCustomer(context)
  const profile = await conn.maybe(MyProfile, sql`
    select id as "customerId", email, name, phone from customers.customer where id = ${id}`)
  if (!profile) throw CustomerNotFound({})
  return profile
}

const getMyProfile = route({
  method: 'GET', path: '/store/account/profile', operationId: 'getMyProfile', access, tags,
  summary: 'Read the own name, telephone and e-mail address', response: { 200: MyProfile },
  problems: [CustomerNotFound], run: ({ db, context }) => profileOf(db, context),
})

const patchMyProfile = route({
  method: 'PATCH', path: '/store/account/profile', operationId: 'updateMyProfile', access, tags,
  summary: 'Change the own name or telephone', description: 'null takes it away.',
  body: Type.Partial(Type.Object({ name, phone }), { minProperties: 1 }), response: { 200: MyProfile },
  problems: [CustomerNotFound],
  async run({ db, context, body }) {
    const changes = [sql`updated_at = now()`]
    if (body.name !== undefined) changes.push(sql`name = ${body.name}`)
    if (body.phone !== undefined) changes.push(sql`phone = ${body.phone}`)
    await db.transaction(context, (tx) => tx.run(sql`
      update customers.customer set ${joined(changes, sql`, `)} where id = ${signedCustomer(context).id}`))
    return profileOf(db, context)
  },
})

const listMyAddresses = route({
  method: 'GET', path: '/store/account/addresses', operationId: 'listMyAddresses', access, tags,
  summary: 'List the own addresses', response: { 200: Type.Object({ items: Type.Array(CustomerAddress) }) },
  run: async ({ db, context }) => ({ items: await addressesOf(db, signedCustomer(context).id) }),
})

const postMyAddress = route({
  method: 'POST', path: '/store/account/addresses', operationId: 'createMyAddress', access, tags,
  summary: 'Add an own address', body: AddressInput, response: { 201: CustomerAddress },
  problems: [CustomerNotFound, CustomerAddressNotFound, TooManyAddresses],
  replay: ({ db, context, resultId: id }) => getAddress(db, signedCustomer(context).id, id),
  run: ({ db, context, body }) => db.transaction(context, (tx) =>
    addAddress(tx, resultId(context), signedCustomer(context).id, body)),
})

const putMyAddress = route({
  method: 'PUT', path: '/store/account/addresses/:addressId', operationId: 'setMyAddress', access, tags,
  summary: 'Replace an own address', params: ofAddress, body: AddressInput, response: { 200: CustomerAddress },
  problems: [CustomerNotFound, CustomerAddressNotFound],
  run: ({ db, context, params, body }) => db.transaction(context, (tx) =>
    replaceAddress(tx, params.addressId, signedCustomer(context).id, body)),
})

const deleteMyAddress = route({
  method: 'DELETE', path: '/store/account/addresses/:addressId', operationId: 'deleteMyAddress', access, tags,
  summary: 'Remove an own address', params: ofAddress, response: { 204: null }, problems: [CustomerAddressNotFound],
  run: ({ db, context, params }) => db.transaction(context, (tx) =>
    removeAddress(tx, params.addressId, signedCustomer(context).id)),
})

/** Consents belong to a mailbox. Throws EmailUnproven for whoever has not shown that it is theirs. */
async function mySubject(db: Db, context: Context): Promise<string> {
  const { email, owns } = signedCustomer(context)
  if (!owns) throw EmailUnproven({})
  return subjectOf(db, email)
}

const mine = async (db: Db, context: Context) => consentsOf(db, await mySubject(db, context))

const listMyConsents = route({
  method: 'GET', path: '/store/account/consents', operationId: 'listMyConsents', access, tags,
  summary: 'List what was agreed to with the own e-mail address, and when',
  response: { 200: Type.Object({ items: Type.Array(Recorded) }) }, problems: [EmailUnproven],
  run: async ({ db, context }) => ({ items: await mine(db, context) }),
})

const postMyConsent = route({
  method: 'POST', path: '/store/account/consents', operationId: 'createMyConsent', access, tags,
  summary: 'Agree, or agree no longer', body: OwnConsent,
  response: { 201: Type.Object({ items: Type.Array(Recorded) }) }, problems: [EmailUnproven],
  replay: async ({ db, context }) => ({ items: await mine(db, context) }),
  async run({ db, context, body }) {
    const subject = await mySubject(db, context)
    return db.transaction(context, async (tx) => {
      await recordConsent(tx, subject, { ...body, source: 'account' })
      return { items: await consentsOf(tx, subject) }
    })
  },
})

export const myDataRoutes = [
  getMyProfile, patchMyProfile, listMyAddresses, postMyAddress, putMyAddress, deleteMyAddress, listMyConsents,
  postMyConsent,
]
