// The way back from a page of a gateway. The shopper's browser comes here with a token that only its own attempt has;
// the gateway is asked what is true (what a browser says proves nothing), and the shopper is sent on to the storefront.
// Whoever turned back ends the attempt, so that another way to pay is free at once. Who never comes back is found by
// recovery.
import { timingSafeEqual } from 'node:crypto'
import { Type } from 'typebox'
import { sql, systemContext, type Db } from '../../platform/db.ts'
import { hashToken } from '../../platform/id.ts'
import { Id, route } from '../../platform/http.ts'
import { returnToken } from './charge-request.ts'
import { paymentSetup } from './gateway.ts'
import { AttemptState, PaymentNotFound, resultOf, ReturnUrlNotAllowed, type PaymentResult } from './payments.ts'
import { settlePayment } from './settle-payment.ts'

/**
 * Throws ReturnUrlNotAllowed for a page that is no storefront's of this shop: a link of ours must not lead shoppers to
 * whoever made it.
 */
export function requireReturnUrl(db: Db, returnUrl: string | undefined): void {
  if (returnUrl === undefined) return
  const { storefronts, publicUrl } = paymentSetup.of(db)
  const allowed = [...storefronts, new URL(publicUrl).origin]
  const url = URL.canParse(returnUrl) ? new URL(returnUrl) : undefined
  if (!url || !allowed.includes(url.origin) || url.username || url.password) {
    throw ReturnUrlNotAllowed({ allowed }, 'Give a page of one of these, or name its origin in `storefronts` of ' +
      'shop.config.ts.')
  }
}

const Attempt = Type.Object({
  orderId: Type.String(), state: AttemptState, reason: Type.Union([Type.String(), Type.Null()]),
  url: Type.Union([Type.String(), Type.Null()]), returnUrl: Type.Union([Type.String(), Type.Null()]),
  reference: Type.Union([Type.String(), Type.Null()]),
})

export type Returned = { orderId: string; payment: PaymentResult; returnUrl: string | null }

/**
 * Finds out how the attempt of a shopper who came back stands; `turnedBack` ends it when the gateway still waits for
 * them. Asked twice it answers the same. Throws PaymentNotFound for a token that is not this attempt's.
 */
export async function returnShopper(
  db: Db, attemptId: string, { token, turnedBack }: { token: string; turnedBack: boolean },
): Promise<Returned> {
  const read = () => db.maybe(Attempt, sql`
    select order_id as "orderId", state, reason, reference, action_url as url, return_url as "returnUrl"
    from payments.attempt join payments.payment on payment.id = payment_id where attempt.id = ${attemptId}`)
  const attempt = timingSafeEqual(hashToken(token), hashToken(await returnToken(db, attemptId))) && await read()
  if (!attempt) throw PaymentNotFound({}, 'The link is not whole, or of another shop.')
  const { orderId, returnUrl } = attempt
  await settlePayment(db, systemContext(), orderId, turnedBack ? attemptId : undefined)
  return { orderId, returnUrl, payment: resultOf(await read() as typeof attempt) }
}

const pages: Record<PaymentResult['kind'], readonly [title: string, text: string]> = {
  captured: ['Paid', 'Thank you. Your order is placed.'],
  authorized: ['Paid', 'Thank you. Your order is placed.'],
  pending: ['Thank you', 'Your order is placed. It is paid when the money arrives.'],
  action: ['Not paid yet', 'The payment waits for you to confirm it.'],
  declined: ['Not paid', 'Nothing was charged. Go back to the shop to pay in another way.'],
  unknown: ['One moment', 'The bank has not answered yet. Do not pay again: we find out, and write to you.'],
  none: ['Nothing to pay', 'Your order costs nothing.'],
}

/** For shops without a storefront of their own. Nothing that anybody sent stands in it. */
const page = ([title, text]: readonly [string, string]): Buffer => Buffer.from(`<!doctype html><html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<body style="font:16px system-ui;max-width:28rem;margin:4rem auto;padding:0 1rem"><h1>${title}</h1><p>${text}</p>`)

export const returnShopperRoute = route({
  method: 'GET', path: '/payments/:attemptId/return', access: 'public', priority: 'pay', tags: ['Payments'],
  summary: 'Come back from a page of a gateway',
  description: 'Gateways send the shopper here. Leads on to the `returnUrl` of the payment, with `order` and ' +
    '`payment` (captured, authorized, pending, action, declined or unknown) in its query, or shows a short page.',
  params: Type.Object({ attemptId: Id }),
  query: Type.Object({
    token: Type.String({ maxLength: 100 }),
    cancelled: Type.Optional(Type.Literal('true', { description: 'The shopper turned back' })),
  }),
  response: { 200: Type.String({ description: 'A page for shops without a storefront' }), 303: null },
  problems: [PaymentNotFound],
  async run({ db, params, query, reply }) {
    const { orderId, payment, returnUrl } = await returnShopper(
      db, params.attemptId, { token: query.token, turnedBack: query.cancelled === 'true' })
    reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer')
    if (returnUrl === null) {
      reply.type('text/html; charset=utf-8')
      return page(pages[payment.kind])
    }
    const url = new URL(returnUrl)
    url.searchParams.set('order', orderId)
    url.searchParams.set('payment', payment.kind)
    reply.status(303).header('location', url.href)
    return undefined
  },
})
