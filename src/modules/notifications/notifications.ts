// The words of notifications: which messages there are and what each shows, what a message looks like, and what can
// be wrong. No I/O.
import { Type, type Static, type TSchema } from 'typebox'
import { Id, Timestamp } from '../../platform/http.ts'
import { problem } from '../../platform/problem.ts'

/** What each template shows. Whoever enqueues a message hands it all over: this module reads nobody's tables. */
export type MessageData = {
  /** `payment`: what the buyer still has to do. */
  'order-confirmation': { order: ShownOrder; payment?: PaymentToDo | undefined }
  'password-reset': { name: string; token: string; hours: number }
  'email-change': { name: string; token: string; hours: number }
  'sign-in-link': { name: string; token: string; minutes: number }
  'password-changed': { name: string }
  /** `what` is a sentence. */
  'sign-in-changed': { name: string; what: string }
  'staff-invitation': { name: string; token: string; hours: number }
  'account-registration': { token: string; minutes: number }
  'account-known': Record<never, never>
  'account-sign-in': { token: string; minutes: number }
  'account-password-reset': { token: string; minutes: number }
  'account-email-change': { token: string; minutes: number }
  /** `what` is a sentence. */
  'account-changed': { what: string }
  'stock-short': { lines: readonly ShortLine[]; more: number }
  'payment-alert': { orderNumber: number | null; paymentId: string | null; reason: string }
}
export type TemplateName = keyof MessageData

type PaymentToDo = { title: string; instructions: string | null; reference?: string | undefined }

/** So many units of a variant that an order was promised and that do not lie there any more. */
type ShortLine = { what: string; sku: string | null; location: string; orderNumber: number; quantity: number }

/** The part of an order that a buyer is shown; amounts are minor units of `currency`. */
export type ShownOrder = {
  number: number
  currency: string
  lines: readonly { productTitle: string; variantTitle: string; quantity: number; totalMinor: number }[]
  delivery: { name: string } | null
  shippingAddress: ShownAddress | null
  subtotalMinor: number
  shippingMinor: number
  discountMinor: number
  taxMinor: number
  totalMinor: number
  pricesIncludeTax: boolean
}
type ShownAddress = {
  name: string
  company?: string
  line1: string
  line2?: string
  postalCode?: string
  city: string
  region?: string
  country: string
}

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

export const MessageState = Type.Enum(['waiting', 'sent', 'parked'])

/** A message as the list shows it: what it says comes with reading a single one. */
export const MessageSummary = Type.Object({
  id: Id, template: Type.String(), recipient: Type.String(), locale: Type.String(), state: MessageState,
  attempts: Type.Integer(),
  lastError: nullable(Type.String()), createdAt: Timestamp, sentAt: nullable(Timestamp),
})
export type MessageSummary = Static<typeof MessageSummary>

export const Message = Type.Object({
  ...MessageSummary.properties,
  content: nullable(Type.Object({ subject: Type.String(), text: Type.String(), html: Type.String() }, {
    description: 'Null once a mail server has taken it. A secret link is shown in the development mailbox only.',
  })),
})

export const MessageNotFound = problem(
  'message-not-found', 404, 'No such message', Type.Object({ messageId: Type.String() })
)
export const MessageNotParked = problem('message-not-parked', 409, 'Only a parked message can be sent again')
