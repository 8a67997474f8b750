// Mails to staff about what needs a person. They say what happened, to which orders and goods, and what to do next; a
// buyer's name or address is never in them.
import type { MessageData } from '../notifications.ts'
import { html, type Content } from './layout.ts'

const unitsOf = (quantity: number): string => (quantity === 1 ? '1 unit' : `${quantity} units`)

function stockShort({ lines, more }: MessageData['stock-short']): Content {
  const groups = Map.groupBy(lines, ({ what, sku, location }) => `${what}${sku ? ` (SKU ${sku})` : ''}, ${location}`)
  const goods = [...groups].map(([title, waiting]) => ({
    title: `${title}: ${unitsOf(waiting.reduce((sum, { quantity }) => sum + quantity, 0))} missing`,
    orders: waiting.map(({ orderNumber, quantity }) => `order ${orderNumber} waits for ${unitsOf(quantity)}`),
  }))
  const orders = new Set(lines.map(({ orderNumber }) => orderNumber)).size
  const about = 'Stock that was promised to buyers is gone: it was counted away, damaged, or set lower by an import.'
  const rest = more > 0 ? `And ${more} more lines like these.` : ''
  const next = 'Count the shelf again. What you book in (a delivery, a correction, a transfer from another location) ' +
    'goes to these orders by itself, oldest first. If nothing will come, tell the buyer, or cancel the order: that ' +
    'gives the money back.'
  return {
    subject: orders === 1 ? `Order ${lines[0]!.orderNumber} waits for stock` : `${orders} orders wait for stock`,
    text: [
      about, '', ...goods.flatMap(({ title, orders: waiting }) => [title, ...waiting.map((line) => `  ${line}`), '']),
      ...(rest ? [rest, ''] : []), next,
    ].join('\n'),
    body: html`<p>${about}</p>${goods.map(({ title, orders: waiting }) => html`
<p><b>${title}</b>${waiting.map((line) => html`<br>${line}`)}</p>`)}<p>${rest}</p><p>${next}</p>`,
  }
}

function paymentAlert({ orderNumber, paymentId, reason }: MessageData['payment-alert']): Content {
  const whose = orderNumber === null ? 'A payment' : `The payment of order ${orderNumber}`
  const about = `${whose} needs your eye: ${reason}.`
  const next = (paymentId === null ? 'Nothing here belongs to it. ' : `Here it is payment ${paymentId}. `) +
    'Compare it with what the payment provider shows. Where the two differ, the provider has the money: capture, ' +
    'void or refund until they agree. If they agree already, there is nothing to do.'
  return {
    subject: orderNumber === null ? 'A payment needs your eye' : `The payment of order ${orderNumber} needs your eye`,
    text: `${about}\n\n${next}`, body: html`<p>${about}</p><p>${next}</p>`,
  }
}

export const staffMessages = { 'stock-short': { en: stockShort }, 'payment-alert': { en: paymentAlert } }
