// How the payment of an order stands, in the words that a shopper is told when they pay: for a page that is loaded
// again, another device, and the confirmation by mail. It asks no gateway.
import { Type, type Static } from 'typebox'
import { sql, type Db } from '../../platform/db.ts'
import { paymentSetup } from './gateway.ts'
import { AttemptState, PaymentResult, resultOf } from './payments.ts'

const text = Type.Union([Type.String(), Type.Null()])

export const PaymentStanding = Type.Object({
  method: Type.String(), title: Type.String({ description: 'As it is offered; the code where it no longer is' }),
  instructions: Type.Union([Type.String(), Type.Null()], {
    description: 'How to pay, while the shopper still has to: the merchant’s words for this method',
  }),
  ...PaymentResult.properties,
})

const Latest = Type.Object({ method: Type.String(), state: AttemptState, reason: text, url: text, reference: text })

/** Of the latest attempt of a gateway; null where none was made, or nothing is left to be paid. */
export async function paymentStanding(db: Db, orderId: string): Promise<Static<typeof PaymentStanding> | null> {
  const latest = await db.maybe(Latest, sql`
    select method, state, reason, action_url as url, reference
    from payments.attempt join payments.payment on payment.id = payment_id
    where order_id = ${orderId} and stored_value_id is null
    order by attempt.created_at desc, attempt.id desc limit 1`)
  if (!latest) return null
  const { title = latest.method, instructions = null } =
    paymentSetup.of(db).methods.find(({ code }) => code === latest.method) ?? {}
  const result = resultOf(latest)
  return { method: latest.method, title, instructions: result.kind === 'pending' ? instructions : null, ...result }
}
