// Writes to the people who have to do something: promised stock is gone, or money needs an eye. Each event is one mail
// to everybody who may act on it, committed with the note that it was handled: a handler that runs again writes none.
import type { Static } from 'typebox'
import { systemContext, type Db, type Tx } from '../../platform/db.ts'
import { firstTime, type Delivery } from '../../platform/events.ts'
import { getVariants } from '../catalog/get-variants.ts'
import { allows } from '../identity/identity.ts'
import { getRole } from '../identity/roles.ts'
import { listStaff } from '../identity/staff.ts'
import type { StockShort } from '../inventory/inventory.ts'
import { getLocations } from '../inventory/locations.ts'
import { enqueueMessage } from '../notifications/enqueue-message.ts'
import type { MessageData } from '../notifications/notifications.ts'
import { findOrder } from '../orders/get-order.ts'
import type { PaymentAlert } from '../payments/payments.ts'

// More lines than anybody reads; the mail says how many it left out.
const SHOWN = 100
// A shop has some dozens of people. The owner came first, and so is always among these.
const STAFF = 1_000

/** Tells those who may book stock which orders wait for it; orders that ended meanwhile wait no more. */
export async function alertOfShortStock(
  db: Db, { lines }: Static<typeof StockShort.payload>, { eventId }: Delivery,
): Promise<void> {
  await db.transaction(systemContext(eventId), async (tx) => {
    if (!(await firstTime(tx, 'alerts.stock-short', eventId))) return
    const shown = await waitingLines(tx, lines.slice(0, SHOWN))
    if (shown.length > 0) await writeTo(tx, 'inventory:write', 'stock-short', {
      lines: shown, more: Math.max(0, lines.length - SHOWN),
    })
  })
}

type ShownLine = MessageData['stock-short']['lines'][number]

async function waitingLines(tx: Tx, lines: Static<typeof StockShort.payload>['lines']): Promise<ShownLine[]> {
  const orderIds = [...new Set(lines.map(({ orderId }) => orderId))]
  const [variants, locations, ...orders] = await Promise.all([
    getVariants(tx, lines.map(({ variantId }) => variantId)), getLocations(tx),
    ...orderIds.map((id) => findOrder(tx, id)),
  ])
  const variantOf = new Map(variants.map((variant) => [variant.id, variant]))
  const nameOf = new Map(locations.map(({ id, name }) => [id, name]))
  const waiting = new Map(orders.flatMap((order) =>
    (order?.state === 'placed' || order?.state === 'awaiting_payment' ? [[order.id, order.number] as const] : [])))
  return lines.flatMap(({ orderId, variantId, locationId, quantity }): ShownLine[] => {
    const [orderNumber, variant] = [waiting.get(orderId), variantOf.get(variantId)]
    if (orderNumber === undefined) return []
    const what = variant ? [variant.productTitle, variant.title].filter(Boolean).join(', ') : `variant ${variantId}`
    return [{ what, sku: variant?.sku ?? null, location: nameOf.get(locationId) ?? locationId, orderNumber, quantity }]
  })
}

/** Tells those who may refund and capture what happened to a payment. */
export async function alertOfPayment(
  db: Db, { paymentId, orderId, reason }: Static<typeof PaymentAlert.payload>, { eventId }: Delivery,
): Promise<void> {
  await db.transaction(systemContext(eventId), async (tx) => {
    if (!(await firstTime(tx, 'alerts.payment', eventId))) return
    const order = orderId === null ? undefined : await findOrder(tx, orderId)
    await writeTo(tx, 'payments:write', 'payment-alert', { orderNumber: order?.number ?? null, paymentId, reason })
  })
}

async function writeTo<Name extends 'stock-short' | 'payment-alert'>(
  tx: Tx, permission: string, template: Name, data: MessageData[Name],
): Promise<void> {
  const staff = (await listStaff(tx, { limit: STAFF })).filter(({ active, invited }) => active && !invited)
  const roles = await Promise.all([...new Set(staff.map(({ role }) => role))].map((role) => getRole(tx, role)))
  const permitted = new Set(roles.filter(({ permissions }) => allows(permissions, permission)).map(({ code }) => code))
  const recipients = staff.filter(({ role }) => permitted.has(role))
  await Promise.all(recipients.map(({ email }) => enqueueMessage(tx, template, email, data)))
}
