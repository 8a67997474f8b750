// Writes a new order with its lines and the first entry of its timeline: one statement, whatever the number of lines,
// made to be sent in the commit trip of whoever places it. Everything that the buyer agreed to is copied from the
// quote.
import { Type } from 'typebox'
import { json, sql, type Tx } from '../../platform/db.ts'
import type { Quote } from '../pricing/pricing.ts'
import type { Address } from './orders.ts'

export type NewOrder = {
  orderId: string
  channelId: string
  email: string
  shippingAddress: Address | null
  billingAddress: Address | null
  tokenHash: Buffer
  /** Whose it is, when they are signed in. */
  customerId: string | null
  quote: Quote
  paymentMethod: string
  /** How long its stock and coupon uses are held for a payment. */
  holdSeconds: number
}

const Numbered = Type.Object({ number: Type.Integer() })

/**
 * Answers the number of the order. An order id that exists already fails as SQL (order_pkey): it is never written
 * twice.
 */
export async function createOrder(tx: Tx, order: NewOrder): Promise<number> {
  const { quote } = order
  const { number } = await tx.one(Numbered, sql`
    with created as (
      insert into orders.order (id, channel_id, state, currency, email, shipping_address, billing_address, token_hash,
        prices_include_tax, delivery, promotions, subtotal_minor, shipping_minor, discount_minor, tax_minor,
        total_minor, payment_method, customer_id, holds_until)
      values (${order.orderId}, ${order.channelId}, 'awaiting_payment', ${quote.currency}, ${order.email},
        ${optional(order.shippingAddress)}::jsonb, ${optional(order.billingAddress)}::jsonb, ${order.tokenHash},
        ${quote.pricesIncludeTax}, ${optional(quote.shipping)}::jsonb, ${json(quote.promotions.map(shown))}::jsonb,
        ${quote.subtotalMinor}, ${quote.shippingMinor}, ${quote.discountMinor}, ${quote.taxMinor}, ${quote.totalMinor},
        ${order.paymentMethod}, ${order.customerId}, now() + make_interval(secs => ${order.holdSeconds}))
      returning id, number
    ), lines as (
      insert into orders.line (order_id, position, variant_id, product_id, sku, product_title, variant_title,
        image_url, requires_shipping, weight_grams, quantity, unit_minor, per_units, tax_rate_ppm, subtotal_minor,
        discount_minor, tax_minor, total_minor)
      select created.id, row_number() over (), "variantId", "productId", sku, "productTitle", "variantTitle",
        "imageUrl", "requiresShipping", "weightGrams", quantity, "unitMinor", "perUnits", "taxRatePpm",
        "subtotalMinor", "discountMinor", "taxMinor", "totalMinor"
      from created, jsonb_to_recordset(${json(quote.lines)}::jsonb) as line (
        "variantId" uuid, "productId" uuid, sku text, "productTitle" text, "variantTitle" text, "imageUrl" text,
        "requiresShipping" boolean, "weightGrams" integer, quantity integer, "unitMinor" bigint, "perUnits" integer,
        "taxRatePpm" integer, "subtotalMinor" bigint, "discountMinor" bigint, "taxMinor" bigint, "totalMinor" bigint)
    ), entry as (
      insert into orders.timeline_entry (order_id, kind, actor) select id, 'created', 'shopper' from created
    )
    select number from created`)
  return number
}

const optional = (value: unknown): string | null => (value === null ? null : json(value))
const shown = ({ promotionId, code, name, amountMinor }: Quote['promotions'][number]) =>
  ({ promotionId, code, name, amountMinor })
