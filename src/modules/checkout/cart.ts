// The cart: begun, read, filled in. Every write takes the row lock in its first trip and answers the whole cart with a
// fresh quote, so that a shopper always sees what an order would cost now. A cart that cannot be priced is still shown,
// with the reason in place of the total.
import { Type, type Static } from 'typebox'
import { json, none, sql, type Conn, type Context, type Db, type Statement, type Tx } from '../../platform/db.ts'
import { newId, newToken, hashToken } from '../../platform/id.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import { getChannel } from '../catalog/channels.ts'
import type { Address } from '../orders/orders.ts'
import {
  normalizeCode, CouponNotApplicable, CurrencyNotOffered, QuoteTooLarge, ShippingMethodNotAvailable, VariantUnavailable,
  type Quote, type QuoteRequest,
} from '../pricing/pricing.ts'
import { quote } from '../pricing/quote.ts'
import {
  Cart, CartCompleted, CartExpired, CartNotFound, CartTooLarge, MAX_LINES, MAX_QUANTITY, type CartLine,
} from './checkout.ts'

const { quote: _quote, issues: _issues, ...stored } = Cart.properties
/** A cart as its row holds it, without a quote. */
export const CartRow = Type.Object({ ...stored, expired: Type.Boolean() })
export type CartRow = Static<typeof CartRow>

const columns = sql`id, channel_id as "channelId", currency, lines, email, shipping_address as "shippingAddress",
  billing_address as "billingAddress", shipping_method_id as "shippingMethodId", coupon_codes as "couponCodes",
  order_id as "orderId",
  created_at as "createdAt", updated_at as "updatedAt", expires_at as "expiresAt", expires_at <= now() as expired`

/**
 * Whose cart it must be: the channel of the key, and the bearer token. Both are in the where clause, so a foreign cart
 * does not exist.
 */
export function ownerOf(context: Context): { channelId: string; tokenHash: Buffer } {
  const { actor } = context
  if (actor.kind !== 'shopper' || !actor.tokenHash) throw CartNotFound(
    {}, 'Send the token that came with the cart as Authorization: Bearer <token>.'
  )
  return { channelId: actor.channelId, tokenHash: actor.tokenHash }
}

/**
 * The cart of this shopper; throws CartNotFound for a foreign one as for one that does not exist, CartExpired when its
 * time is over.
 */
export async function readCart(conn: Conn, context: Context, cartId: string, lock: Statement = none): Promise<CartRow> {
  const { channelId, tokenHash } = ownerOf(context)
  const cart = await conn.maybe(CartRow, sql`
    select ${columns} from checkout.cart
    where id = ${cartId} and channel_id = ${channelId} and token_hash = ${tokenHash} ${lock}`)
  if (!cart) throw CartNotFound(
    {}, 'Check the cart id, the token and the publishable key: a cart belongs to one channel.'
  )
  if (cart.expired && !cart.orderId) throw CartExpired({})
  return cart
}

/** The same under its row lock, and still open: throws CartCompleted when it became an order. */
export async function lockOpenCart(tx: Tx, context: Context, cartId: string): Promise<CartRow> {
  const cart = await readCart(tx, context, cartId, sql`for update`)
  if (cart.orderId) throw CartCompleted({ orderId: cart.orderId }, 'Read the order, or begin a new cart.')
  return cart
}

/** What pricing needs to know of a cart. */
export function quoteRequestOf(
  cart: Pick<CartRow,
  'channelId' | 'currency' | 'lines' | 'email' | 'shippingAddress' | 'shippingMethodId' | 'couponCodes'>
): QuoteRequest {
  return {
    channelId: cart.channelId, currency: cart.currency, lines: cart.lines, couponCodes: cart.couponCodes,
    shippingMethodId: cart.shippingMethodId,
    country: cart.shippingAddress?.country ?? null, region: cart.shippingAddress?.region ?? null,
    customerKey: cart.email?.toLowerCase() ?? null,
  }
}

/** The cart with its quote, or with what keeps it from having one. */
export async function showCart(conn: Conn, { expired: _, ...cart }: CartRow): Promise<Cart> {
  if (cart.lines.length === 0) return { ...cart, quote: null, issues: [] }
  try {
    return { ...cart, quote: await quote(conn, { ...quoteRequestOf(cart), couponPolicy: 'report' }), issues: [] }
  } catch (error) {
    const shown = [
      VariantUnavailable, ShippingMethodNotAvailable, QuoteTooLarge, CouponNotApplicable, CurrencyNotOffered,
    ]
    if (!(error instanceof Problem) || !shown.some((kind) => isProblem(error, kind))) throw error
    const { kind, detail, extra } = error
    return {
      ...cart, quote: null, issues: [{ code: kind.code, title: kind.title, ...(detail ? { detail } : {}), ...extra }],
    }
  }
}

export type NewCart = {
  currency?: string | undefined
  lines?: CartLine[] | undefined
} & CartDetails

/**
 * Begins a cart in the shopper's channel. Answers the cart and its token, which is shown this once and stored only as a
 * hash.
 */
export async function createCart(
  db: Db, context: Context, channelId: string, input: NewCart,
): Promise<{ cart: Cart; token: string }> {
  const channel = await getChannel(db, channelId)
  const currency = input.currency ?? channel.defaultCurrency
  if (!channel.currencies.includes(currency)) throw CurrencyNotOffered({ currency, offered: channel.currencies })
  const token = newToken('cart_')
  const row = await db.transaction(context, async (tx) => {
    const inserted = tx.one(CartRow, sql`
      insert into checkout.cart (
        id, channel_id, token_hash, currency, lines, email, shipping_address, billing_address, shipping_method_id,
        coupon_codes
      )
      values (${newId()}, ${channelId}, ${hashToken(token)}, ${currency}, ${json(withLines([], input.lines ?? [],
      'add'))}::jsonb, ${input.email ?? null},
        ${text(input.shippingAddress)}::jsonb, ${text(input.billingAddress)}::jsonb, ${input.shippingMethodId ?? null},
        ${(input.couponCodes ?? []).map(normalizeCode)})
      returning ${columns}`)
    await tx.commit([inserted])
    return inserted
  })
  return { cart: await showCart(db, row), token }
}

export type CartDetails = {
  currency?: string | undefined
  email?: string | null | undefined
  shippingAddress?: Address | null | undefined
  billingAddress?: Address | null | undefined
  shippingMethodId?: string | null | undefined
  couponCodes?: string[] | undefined
}

/**
 * Changes what is named and leaves the rest. Throws CurrencyNotOffered, CartCompleted, CartNotFound, CartExpired. Asked
 * twice, the cart is the same.
 */
export async function updateCart(db: Db, context: Context, cartId: string, details: CartDetails): Promise<Cart> {
  if (details.currency !== undefined) {
    const channel = await getChannel(db, ownerOf(context).channelId)
    if (!channel.currencies.includes(details.currency)) throw CurrencyNotOffered(
      { currency: details.currency, offered: channel.currencies }
    )
  }
  return changeCart(db, context, cartId, (cart) => (
    { ...cart, ...Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined)) }
  ))
}

/**
 * Adds to, or sets, the quantities of many variants in one call; setting 0 removes a line. Throws CartTooLarge beyond
 * the limits. Adding is the one change of a cart that is not the same when it is asked twice: send an Idempotency-Key.
 */
export async function changeLines(
  db: Db, context: Context, cartId: string, lines: CartLine[], how: 'add' | 'set',
): Promise<Cart> {
  return changeCart(db, context, cartId, (cart) => ({ ...cart, lines: withLines(cart.lines, lines, how) }))
}

async function changeCart(db: Db, context: Context, cartId: string, change: (cart: CartRow) => CartRow): Promise<Cart> {
  const row = await db.transaction(context, async (tx) => {
    const cart = change(await lockOpenCart(tx, context, cartId))
    const updated = tx.one(CartRow, sql`
      update checkout.cart set currency = ${cart.currency}, lines = ${json(cart.lines)}::jsonb, email = ${cart.email},
        shipping_address = ${text(cart.shippingAddress)}::jsonb, billing_address = ${text(cart.billingAddress)}::jsonb,
        shipping_method_id = ${cart.shippingMethodId},
        coupon_codes = ${[...new Set(cart.couponCodes.map(normalizeCode))]},
        updated_at = now(), expires_at = now() + interval '60 days'
      where id = ${cartId} returning ${columns}`)
    await tx.commit([updated])
    return updated
  })
  return showCart(db, row)
}

const text = (value: unknown): string | null => (value === null || value === undefined ? null : json(value))

/** The lines after a change: one entry a variant, in the order of adding. */
export function withLines(present: readonly CartLine[], changes: readonly CartLine[], how: 'add' | 'set'): CartLine[] {
  const quantities = new Map(present.map((line) => [line.variantId, line.quantity]))
  for (const { variantId, quantity } of changes) {
    const next = how === 'add' ? (quantities.get(variantId) ?? 0) + quantity : quantity
    if (next > MAX_QUANTITY) throw CartTooLarge(
      { maxLines: MAX_LINES, maxQuantity: MAX_QUANTITY }, `At most ${MAX_QUANTITY} of one variant.`
    )
    if (next === 0) quantities.delete(variantId)
    else quantities.set(variantId, next)
  }
  if (quantities.size > MAX_LINES) throw CartTooLarge(
    { maxLines: MAX_LINES, maxQuantity: MAX_QUANTITY }, `At most ${MAX_LINES} different variants.`
  )
  return [...quantities].map(([variantId, quantity]) => ({ variantId, quantity }))
}

export type { Quote }
