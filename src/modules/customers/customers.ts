// The words of customers: who they are, what may be known of them, and what can be wrong. No I/O.
import { Type, type Static } from 'typebox'
import { mapConstraint } from '../../platform/db.ts'
import { Id, OneLine, Timestamp } from '../../platform/http.ts'
import { problem } from '../../platform/problem.ts'
import { Address } from '../orders/orders.ts'

export const orNull = <T extends Parameters<typeof Type.Array>[0]>(schema: T) => Type.Union([schema, Type.Null()])
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '\\S' })
export const Code = Type.String({ pattern: '^[a-z][a-z0-9-]{0,39}$', description: 'Small letters, digits, hyphens' })
export const GroupName = OneLine(100)
export const Tag = OneLine(50)

/** What staff write of a customer; null takes it away. */
export const CustomerInput = {
  name: orNull(OneLine(200)), phone: orNull(OneLine(40)), note: orNull(text(5_000)),
  tags: Type.Array(Tag, { maxItems: 50, uniqueItems: true }),
}

const Purchases = Type.Array(Type.Object({
  currency: Type.String(), orders: Type.Integer(), spentMinor: Type.Integer(), lastAt: Timestamp,
}))
export const Customer = Type.Object({
  id: Id, email: Type.String(), ...CustomerInput, tags: Type.Array(Type.String()), createdAt: Timestamp,
  updatedAt: Timestamp, groupIds: Type.Array(Id), purchases: Purchases,
})
export type Customer = Static<typeof Customer>

export const AddressInput = Type.Object({
  label: Type.Optional(OneLine(100)), address: Address, defaultShipping: Type.Optional(Type.Boolean()),
  defaultBilling: Type.Optional(Type.Boolean()),
})
export const CustomerAddress = Type.Object({
  id: Id, label: orNull(Type.String()), address: Address, defaultShipping: Type.Boolean(),
  defaultBilling: Type.Boolean(),
})

export const CustomerNotFound = problem('customer-not-found', 404, 'No such customer')
export const CustomerEmailTaken = problem('customer-email-taken', 409, 'There is a customer with this e-mail address')
export const CustomerAddressNotFound = problem('customer-address-not-found', 404, 'No such address of this customer')
export const EmailUnproven = problem(
  'email-unproven', 403, 'Show first that this mailbox is yours: sign in by a link once')
export const TooManyAddresses = problem('too-many-addresses', 409, 'A customer has twenty addresses at most')
export const GroupNotFound = problem('group-not-found', 404, 'No such group of customers')
export const GroupCodeTaken = problem('group-code-taken', 409, 'There is a group with this code')
export const SegmentNotFound = problem('segment-not-found', 404, 'No such segment')
export const SegmentNameTaken = problem('segment-name-taken', 409, 'There is a segment with this name')

mapConstraint('customer_email_unique', () => CustomerEmailTaken({}))
mapConstraint('address_limit', () => TooManyAddresses({}, 'Remove one first.'))
mapConstraint('group_code_unique', () => GroupCodeTaken({}))
mapConstraint('membership_group', () => GroupNotFound({}))
mapConstraint('membership_customer', () => CustomerNotFound({}))
mapConstraint('segment_name_unique', () => SegmentNameTaken({}))
