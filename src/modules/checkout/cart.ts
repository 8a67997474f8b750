// The cart: begun, read, filled in. Every write takes the row lock in its first trip and answers the whole cart with a
// fresh quote, so that a shopper always sees what an order would cost now. A cart that cannot be priced any more is
// still shown, with the reason in place of the total; but nothing that is not on sale is put into one.
import { Type, type Static } from 'typebox'
import {
  json, none, resultId, signedCustomer, sql, type Actor, type Conn, type Context, type Db, type Statement, type Tx,
} from '../../platform/db.ts'
import type { SignedCustomer } from '../../platform/context.ts'
import { derivedToken } from '../../platform/derived-token.ts'
import { hashToken } from '../../platform/id.ts'
import { isProblem, Problem, Unauthenticated } from '../../platform/problem.ts'
import { getChannel } from '../catalog/channels.ts'
import { availability } from '../inventory/availability.ts'
import { OutOfStock } from '../inventory/inventory.ts'
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
export const CartRow = Type.Object({
  ...stored, tokenHash: Type.Unsafe<Buffer>(Type.Any()), expired: Type.Boolean(),
})
export type CartRow = Static<typeof CartRow>

const columns = sql`id, channel_id as "channelId", currency, lines, email, shipping_address as "shippingAddress",
  billing_address as "billingAddress", shipping_method_id as "shippingMethodId", coupon_codes as "couponCodes",
  order_id as "orderId", customer_id as "customerId", token_hash as "tokenHash", created_at as "createdAt",
  updated_at as "updatedAt", expires_at as "expiresAt", expires_at <= now() as expired`

/**
 * Whose cart it must be: the channel of the key, and the bearer token of a guest or the session of a customer. It is in
 * the where clause, so a foreign cart does not exist.
 */
function cartsOf({ actor }: Context): Statement {
  if (actor.kind !== 'shopper' || !(actor.tokenHash ?? actor.customer)) {
    throw CartNotFound({}, 'Send the token that came with the cart as Authorization: Bearer <token>, or sign in.')
  }
  const { channelId, tokenHash = null, customer } = actor
  return sql`channel_id = ${channelId} and (customer_id = ${customer?.id ?? null}::uuid
    or (customer_id is null and token_hash = ${tokenHash}))`
}

/**
 * The cart of this shopper; throws CartNotFound for a foreign one as for one that does not exist, CartExpired when its
 * time is over.
 */
export async function readCart(conn: Conn, context: Context, cartId: string, lock: Statement = none): Promise<CartRow> {
  const cart = await conn.maybe(CartRow, sql`
    select ${columns} from checkout.cart where id = ${cartId} and ${cartsOf(context)} ${lock}`)
  if (!cart) throw CartNotFound({}, 'Check its id, its token and the publishable key: a cart belongs to one channel.')
  if (cart.expired && !cart.orderId) throw CartExpired({})
  return cart
}

/** The open carts of the customer who is signed in, ten at most. */
export function cartsOfCustomer(conn: Conn, context: Context): Promise<CartRow[]> {
  return conn.many(CartRow, sql`
    select ${columns} from checkout.cart
    where customer_id = ${signedCustomer(context).id} and channel_id = ${channelOf(context.actor)}
      and order_id is null and expires_at > now()
    order by id desc limit 10`)
}

async function lockOpenCart(tx: Tx, context: Context, cartId: string): Promise<CartRow> {
  const cart = await readCart(tx, context, cartId, sql`for update`)
  if (cart.orderId) throw CartCompleted({ orderId: cart.orderId }, 'Read the order, or begin a new cart.')
  return cart
}

type Priceable = Pick<CartRow,
  'channelId' | 'currency' | 'lines' | 'email' | 'shippingAddress' | 'shippingMethodId' | 'couponCodes'
> & { orderId?: string | null }

/** What pricing needs to know of a cart. */
export function quoteRequestOf(cart: Priceable): QuoteRequest {
  const { channelId, currency, lines, couponCodes, shippingMethodId, shippingAddress, email } = cart
  return {
    channelId, currency, lines, couponCodes, shippingMethodId, country: shippingAddress?.country ?? null,
    region: shippingAddress?.region ?? null, customerKey: email?.toLowerCase() ?? null,
  }
}

type Priced = Pick<Cart, 'quote' | 'issues'>
const shownAsIssues = [
  VariantUnavailable, ShippingMethodNotAvailable, QuoteTooLarge, CouponNotApplicable, CurrencyNotOffered,
]

/**
 * The quote of a cart, or why there is none, and what else would keep it from being ordered now. Throws
 * VariantUnavailable for those of `added` that are not on sale.
 */
async function price(conn: Conn, cart: Priceable, added: readonly CartLine[] = []): Promise<Priced> {
  if (cart.lines.length === 0) return { quote: null, issues: [] }
  const [quoted, missing] = await Promise.all([priceOrProblem(conn, cart), findMissing(conn, cart)])
  const issues: Cart['issues'] = missing.length === 0 ? [] : [issueOf(OutOfStock({ lines: missing }))]
  if (!(quoted instanceof Problem)) return { quote: quoted, issues }
  if (isProblem(quoted, VariantUnavailable)) refuseAdded(quoted.extra['lines'] as Unavailable, added)
  return { quote: null, issues: [issueOf(quoted), ...issues] }
}

/** The quote, or why there is none. */
export async function priceOrProblem(conn: Conn, cart: Priceable): Promise<Quote | Problem> {
  try {
    return await quote(conn, { ...quoteRequestOf(cart), couponPolicy: 'report' })
  } catch (error) {
    if (error instanceof Problem && shownAsIssues.some((kind) => isProblem(error, kind))) return error
    throw error
  }
}

/** Lines of which there is less than they want at this moment. An order has its goods already. */
async function findMissing(conn: Conn, { lines, orderId }: Priceable) {
  if (orderId) return []
  const stocks = await availability(conn, lines.map(({ variantId }) => variantId))
  const stockOf = new Map(stocks.map((stock) => [stock.variantId, stock]))
  return lines.flatMap(({ variantId, quantity }) => {
    const { tracked, backorder, available } = stockOf.get(variantId)!
    return !tracked || backorder || available >= quantity ? [] : [{ variantId, requested: quantity, available }]
  })
}

function issueOf({ kind, detail, extra }: Problem): Cart['issues'][number] {
  return { code: kind.code, title: kind.title, ...(detail ? { detail } : {}), ...extra }
}

type Unavailable = { variantId: string; reason: 'not_sold' | 'no_price' }[]

function refuseAdded(unavailable: Unavailable, added: readonly CartLine[]): void {
  const lines = unavailable.filter(({ variantId }) => added.some((line) => line.variantId === variantId))
  if (lines.length === 0) return
  throw VariantUnavailable({ lines }, 'These are not on sale here, or have no price in this currency.')
}

/** The cart with its quote, or with what keeps it from having one. */
export async function showCart(conn: Conn, cart: CartRow): Promise<Cart> {
  return shown(cart, await price(conn, cart))
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
 * Begins a cart in the shopper's channel. Answers the cart and its token, which is stored only as a hash. Asked twice
 * under one Idempotency-Key there is one cart. Throws CurrencyNotOffered, CartTooLarge, VariantUnavailable.
 */
export async function createCart(
  db: Db, context: Context, channelId: string, input: CartDetails & { lines?: CartLine[] | undefined },
): Promise<{ cart: Cart; token: string }> {
  const currency = await offeredCurrency(db, channelId, input.currency)
  const customer = customerOf(context)
  const { shippingAddress = null, billingAddress = null, shippingMethodId = null } = input
  const email = input.email === undefined ? customer?.email ?? null : input.email
  const lines = withLines([], input.lines ?? [], 'add')
  const couponCodes = distinctCodes(input.couponCodes ?? [])
  const cartId = resultId(context)
  const token = await cartToken(db, cartId)
  const cart = await db.transaction(context, async (tx) => {
    const wanted = { channelId, currency, lines, email, shippingAddress, shippingMethodId, couponCodes }
    const priced = await price(tx, wanted, lines)
    const inserted = tx.one(CartRow, sql`
      insert into checkout.cart (id, channel_id, token_hash, currency, lines, email, shipping_address, billing_address,
        shipping_method_id, coupon_codes, customer_id)
      values (${cartId}, ${channelId}, ${hashToken(token)}, ${currency}, ${json(lines)}::jsonb, ${email},
        ${optional(shippingAddress)}::jsonb, ${optional(billingAddress)}::jsonb, ${shippingMethodId}, ${couponCodes},
        ${customer?.id ?? null})
      returning ${columns}`)
    await tx.commit([inserted])
    return shown(await inserted, priced)
  })
  return { cart, token }
}

/** The channel of a shopper; throws Unauthenticated where there is none. */
export function channelOf(actor: Actor): string {
  if (actor.kind !== 'shopper') throw Unauthenticated({})
  return actor.channelId
}

/** Who is signed in, if somebody is. */
export const customerOf = ({ actor }: Context): SignedCustomer | undefined =>
  (actor.kind === 'shopper' ? actor.customer : undefined)

const cartToken = (db: Db, cartId: string): Promise<string> => derivedToken(db, 'cart_', cartId)

/** The cart that a repeated request began, as it is now. */
export async function showBegun(db: Db, context: Context, cartId: string): Promise<{ cart: Cart; token: string }> {
  const token = await cartToken(db, cartId)
  const actor = context.actor.kind === 'shopper' ? { ...context.actor, tokenHash: hashToken(token) } : context.actor
  return { cart: await showCart(db, await readCart(db, { ...context, actor }, cartId)), token }
}

/**
 * Changes what is named and leaves the rest. Throws CurrencyNotOffered, CartCompleted, CartNotFound, CartExpired. Asked
 * twice, the cart is the same.
 */
export async function updateCart(db: Db, context: Context, cartId: string, details: CartDetails): Promise<Cart> {
  const { actor } = context
  if (details.currency !== undefined && actor.kind === 'shopper') {
    await offeredCurrency(db, actor.channelId, details.currency)
  }
  const named = Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined))
  return changeCart(db, context, cartId, (cart) => ({ ...cart, ...named }))
}

/**
 * Adds to, or sets, the quantities of many variants in one call; setting 0 removes a line. Throws CartTooLarge beyond
 * the limits and VariantUnavailable for what is not on sale; then nothing is changed. Adding is the one change of a
 * cart that is not the same when it is asked twice: send an Idempotency-Key.
 */
export async function changeLines(
  db: Db, context: Context, cartId: string, lines: CartLine[], how: 'add' | 'set',
): Promise<Cart> {
  const change = (cart: CartRow): CartRow => ({ ...cart, lines: withLines(cart.lines, lines, how) })
  return changeCart(db, context, cartId, change, lines)
}

async function changeCart(
  db: Db, context: Context, cartId: string, change: (cart: CartRow) => CartRow, added: readonly CartLine[] = [],
): Promise<Cart> {
  return db.transaction(context, async (tx) => {
    const cart = change(await lockOpenCart(tx, context, cartId))
    const priced = await price(tx, cart, added)
    const updated = tx.one(CartRow, sql`
      update checkout.cart set currency = ${cart.currency}, lines = ${json(cart.lines)}::jsonb, email = ${cart.email},
        shipping_address = ${optional(cart.shippingAddress)}::jsonb,
        billing_address = ${optional(cart.billingAddress)}::jsonb, shipping_method_id = ${cart.shippingMethodId},
        coupon_codes = ${distinctCodes(cart.couponCodes)}, updated_at = now(), expires_at = now() + interval '60 days'
      where id = ${cartId} returning ${columns}`)
    await tx.commit([updated])
    return shown(await updated, priced)
  })
}

const shown = ({ expired: _, tokenHash: __, ...cart }: CartRow, priced: Priced): Cart => ({ ...cart, ...priced })
const optional = (value: Address | null): string | null => (value === null ? null : json(value))
const distinctCodes = (codes: readonly string[]): string[] => [...new Set(codes.map(normalizeCode))]

/** The currency, or the channel's own; throws CurrencyNotOffered. */
async function offeredCurrency(conn: Conn, channelId: string, currency: string | undefined): Promise<string> {
  const { currencies, defaultCurrency } = await getChannel(conn, channelId)
  const wanted = currency ?? defaultCurrency
  if (!currencies.includes(wanted)) throw CurrencyNotOffered({ currency: wanted, offered: currencies })
  return wanted
}

/** The lines after a change: one entry a variant, in the order of adding. Throws CartTooLarge. */
export function withLines(present: readonly CartLine[], changes: readonly CartLine[], how: 'add' | 'set'): CartLine[] {
  const refuse = (detail: string): never => {
    throw CartTooLarge({ maxLines: MAX_LINES, maxQuantity: MAX_QUANTITY }, detail)
  }
  const quantities = new Map(present.map((line) => [line.variantId, line.quantity]))
  for (const { variantId, quantity } of changes) {
    const next = how === 'add' ? (quantities.get(variantId) ?? 0) + quantity : quantity
    if (next > MAX_QUANTITY) refuse(`At most ${MAX_QUANTITY} of one variant.`)
    if (next === 0) quantities.delete(variantId)
    else quantities.set(variantId, next)
  }
  if (quantities.size > MAX_LINES) refuse(`At most ${MAX_LINES} different variants.`)
  return [...quantities].map(([variantId, quantity]) => ({ variantId, quantity }))
}
