// Mails about an order. They show what was frozen with it, so they say the same however the shop changes.
import { displayAmount } from '../../../platform/money.ts'
import type { MessageData, ShownOrder } from '../notifications.ts'
import { html, type Content, type Surroundings } from './layout.ts'

function orderConfirmation(
  { order, payment }: MessageData['order-confirmation'], { locale }: Surroundings,
): Content {
  const amount = (minor: number): string => displayAmount(minor, order.currency, locale)
  const lines = order.lines.map(({ quantity, productTitle, variantTitle, totalMinor }) => ({
    what: `${quantity} × ${[productTitle, variantTitle].filter(Boolean).join(', ')}`, price: amount(totalMinor),
  }))
  const sums = sumsOf(order).map(([what, minor]) => ({ what, price: amount(minor) }))
  const address = addressLines(order)
  const toPay = payment ? [
    payment.title, ...payment.instructions?.split('\n') ?? [],
    ...payment.reference ? [`Reference: ${payment.reference}`] : [],
  ] : []
  const rows = [...lines, ...sums]
  const cell = 'padding:6px 0;border-top:1px solid #ddd'
  return {
    subject: `Your order ${order.number}`,
    text: [
      `Thank you for your order ${order.number}.`, '', ...rows.map(({ what, price }) => `${what}: ${price}`),
      ...toPay.length > 0 ? ['', 'Still to be paid:', ...toPay] : [],
      ...address.length > 0 ? ['', 'It goes to:', ...address] : [],
    ].join('\n'),
    body: html`<h1 style="font-size:22px">Thank you for your order ${order.number}</h1>
<table style="width:100%;border-collapse:collapse">${rows.map(({ what, price }) => html`
<tr><td style="${cell}">${what}</td><td style="${cell};text-align:right;white-space:nowrap">${price}</td></tr>`)}
</table>${toPay.length > 0 ? html`<p><b>Still to be paid</b>${toPay.map((line) => html`<br>${line}`)}</p>` : ''}
${address.length > 0 ? html`<p><b>It goes to</b>${address.map((line) => html`<br>${line}`)}</p>` : ''}`,
  }
}

function sumsOf(order: ShownOrder): [string, number][] {
  return [
    ['Subtotal', order.subtotalMinor],
    ...order.discountMinor > 0 ? [['Discount', -order.discountMinor] as [string, number]] : [],
    ...order.delivery ? [[order.delivery.name, order.shippingMinor] as [string, number]] : [],
    ...order.pricesIncludeTax ? [] : [['Tax', order.taxMinor] as [string, number]],
    ['Total', order.totalMinor],
    ...order.pricesIncludeTax && order.taxMinor > 0 ? [['Tax included', order.taxMinor] as [string, number]] : [],
  ]
}

function addressLines({ shippingAddress: to }: ShownOrder): string[] {
  if (!to) return []
  const city = [to.postalCode, to.city, to.region].filter(Boolean).join(' ')
  return [to.name, to.company, to.line1, to.line2, city, to.country].filter((line): line is string => Boolean(line))
}

export const orderMessages = { 'order-confirmation': { en: orderConfirmation } }
