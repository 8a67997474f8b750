// The addresses of a customer: twenty at most, one of them offered first for delivery and one for the bill.
import { Type, type Static } from 'typebox'
import { json, resultId, sql, type Conn, type Tx } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import {
  AddressInput, CustomerAddress, CustomerAddressNotFound, CustomerNotFound, TooManyAddresses,
} from './customers.ts'
import { getCustomer } from './people.ts'

const columns = sql`id, label, address, default_shipping as "defaultShipping", default_billing as "defaultBilling"`

export function addressesOf(conn: Conn, customerId: string): Promise<Static<typeof CustomerAddress>[]> {
  return conn.many(CustomerAddress, sql`
    select ${columns} from customers.address where customer_id = ${customerId} order by position`)
}

/** Throws CustomerAddressNotFound, for another customer's as for one that does not exist. */
export async function getAddress(conn: Conn, customerId: string, addressId: string) {
  const address = await conn.maybe(CustomerAddress, sql`
    select ${columns} from customers.address where id = ${addressId} and customer_id = ${customerId}`)
  if (!address) throw CustomerAddressNotFound({})
  return address
}

type Input = Static<typeof AddressInput>

/** The customer's row is locked: of two who make theirs the default, the later has it. Throws CustomerNotFound. */
async function lockDefaults(tx: Tx, customerId: string, input: Input): Promise<void> {
  if (await tx.run(sql`select from customers.customer where id = ${customerId} for update`) === 0) {
    throw CustomerNotFound({})
  }
  const { defaultShipping = false, defaultBilling = false } = input
  await tx.run(sql`update customers.address set default_shipping = default_shipping and not ${defaultShipping},
    default_billing = default_billing and not ${defaultBilling} where customer_id = ${customerId}`)
}

/** Throws CustomerNotFound, TooManyAddresses. */
export async function addAddress(tx: Tx, id: string, customerId: string, input: Input) {
  await lockDefaults(tx, customerId, input)
  await tx.run(sql`
    insert into customers.address (id, customer_id, position, label, address, default_shipping, default_billing)
    values (${id}, ${customerId}, (
        select coalesce(min(free), 21) from generate_series(1, 20) as free
        where free not in (select position from customers.address where customer_id = ${customerId})
      ), ${input.label ?? null}, ${json(input.address)}::jsonb, ${input.defaultShipping ?? false},
      ${input.defaultBilling ?? false})`)
  return getAddress(tx, customerId, id)
}

/** Throws CustomerNotFound, CustomerAddressNotFound. */
export async function replaceAddress(tx: Tx, id: string, customerId: string, input: Input) {
  await lockDefaults(tx, customerId, input)
  await tx.run(sql`update customers.address set label = ${input.label ?? null}, address = ${json(input.address)}::jsonb,
    default_shipping = ${input.defaultShipping ?? false}, default_billing = ${input.defaultBilling ?? false}
    where id = ${id} and customer_id = ${customerId}`)
  return getAddress(tx, customerId, id)
}

/** Throws CustomerAddressNotFound. */
export async function removeAddress(tx: Tx, id: string, customerId: string): Promise<void> {
  const gone = await tx.run(sql`delete from customers.address where id = ${id} and customer_id = ${customerId}`)
  if (gone === 0) throw CustomerAddressNotFound({})
}

const ofCustomer = Type.Object({ customerId: Id })
const ofAddress = Type.Object({ customerId: Id, addressId: Id })
const tags = ['Customers']
const write = { permission: 'customers:write' }

const listAddresses = route({
  method: 'GET', path: '/admin/customers/:customerId/addresses', access: { permission: 'customers:read' }, tags,
  summary: 'List the addresses of a customer', params: ofCustomer,
  response: { 200: Type.Object({ items: Type.Array(CustomerAddress) }) }, problems: [CustomerNotFound],
  async run({ db, params: { customerId } }) {
    await getCustomer(db, customerId)
    return { items: await addressesOf(db, customerId) }
  },
})

const postAddress = route({
  method: 'POST', path: '/admin/customers/:customerId/addresses', access: write, tags,
  summary: 'Add an address to a customer', params: ofCustomer, body: AddressInput, response: { 201: CustomerAddress },
  problems: [CustomerNotFound, CustomerAddressNotFound, TooManyAddresses],
  replay: ({ db, params: { customerId }, resultId: id }) => getAddress(db, customerId, id),
  run: ({ db, context, params: { customerId }, body }) => db.transaction(context, (tx) =>
    addAddress(tx, resultId(context), customerId, body)),
})

const putAddress = route({
  method: 'PUT', path: '/admin/customers/:customerId/addresses/:addressId', access: write, tags,
  summary: 'Replace an address of a customer', params: ofAddress, body: AddressInput,
  response: { 200: CustomerAddress }, problems: [CustomerNotFound, CustomerAddressNotFound],
  run: ({ db, context, params: { customerId, addressId }, body }) => db.transaction(context, (tx) =>
    replaceAddress(tx, addressId, customerId, body)),
})

const deleteAddress = route({
  method: 'DELETE', path: '/admin/customers/:customerId/addresses/:addressId', access: write, tags,
  summary: 'Remove an address of a customer', params: ofAddress, response: { 204: null },
  problems: [CustomerAddressNotFound],
  run: ({ db, context, params: { customerId, addressId } }) => db.transaction(context, (tx) =>
    removeAddress(tx, addressId, customerId)),
})

export const addressRoutes = [listAddresses, postAddress, putAddress, deleteAddress]
