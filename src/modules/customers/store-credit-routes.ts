// The credit of a customer, as staff grant it and as the customer reads it. The balances are kept by payments.
import { Type } from 'typebox'
import { LimitExceeded } from '../../platform/authority.ts'
import { signedCustomer } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { Grant, grantStoreCredit, StoreCredit, storeCreditOf, StoreCreditRefused } from '../payments/store-credit.ts'
import { StoredValueSpent } from '../payments/stored-value.ts'
import { CustomerNotFound } from './customers.ts'
import { getCustomer } from './people.ts'

const params = Type.Object({ customerId: Id })
const response = Type.Object({ items: Type.Array(StoreCredit) })

const listStoreCredit = route({
  method: 'GET', path: '/admin/customers/:customerId/store-credit', operationId: 'listStoreCredit',
  access: { permission: 'payments:read' }, tags: ['Customers'],
  summary: 'Read the credit of a customer', params, response: { 200: response }, problems: [CustomerNotFound],
  async run({ db, params: { customerId } }) {
    await getCustomer(db, customerId)
    return { items: await storeCreditOf(db, customerId) }
  },
})

const postStoreCredit = route({
  method: 'POST', path: '/admin/customers/:customerId/store-credit', operationId: 'grantStoreCredit',
  access: { permission: 'payments:write' }, tags: ['Customers'],
  summary: 'Grant a customer credit, or take some away', params, body: Grant, response: { 201: response },
  problems: [CustomerNotFound, StoreCreditRefused, StoredValueSpent, LimitExceeded],
  replay: async ({ db, params: { customerId } }) => ({ items: await storeCreditOf(db, customerId) }),
  async run({ db, context, params: { customerId }, body }) {
    await getCustomer(db, customerId)
    await grantStoreCredit(db, context, customerId, body)
    return { items: await storeCreditOf(db, customerId) }
  },
})

const listMyStoreCredit = route({
  method: 'GET', path: '/store/account/store-credit', operationId: 'listMyStoreCredit', access: 'customer',
  tags: ['Own data'], summary: 'Read the own credit', response: { 200: response },
  run: async ({ db, context }) => ({ items: await storeCreditOf(db, signedCustomer(context).id) }),
})

export const staffRoutes = [listStoreCredit, postStoreCredit]
export const ownRoutes = [listMyStoreCredit]
