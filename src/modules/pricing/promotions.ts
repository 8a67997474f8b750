// Promotions over the Admin API: what is taken off, under which conditions, how often. How several meet in one cart
// is a rule of calculate-quote.ts. Limits count from when they are set: without a limit nothing is counted, and a hot
// promotion locks nothing.
import { Type, type Static } from 'typebox'
import { LimitExceeded, requireDiscount } from '../../platform/authority.ts'
import { mapConstraint, resultId, sql, type Actor, type Conn, type Tx } from '../../platform/db.ts'
import { Id, OneLine, Page, PageQuery, Timestamp, route } from '../../platform/http.ts'
import { Currency, isCurrency } from '../../platform/money.ts'
import { InvalidCursor, InvalidValue } from '../../platform/problem.ts'
import { idAfter, page } from './internal/page.ts'
import { MAX_AMOUNT_MINOR, nullable, PromotionNotFound } from './pricing.ts'

const Limit = Type.Integer({ minimum: 0, maximum: 1_000_000_000 })
const Above0 = Type.Integer({ minimum: 1, maximum: MAX_AMOUNT_MINOR })
const conditions = {
  currency: nullable(Currency),                  // of the amounts below; alone it is a condition
  minimumSubtotalMinor: nullable(Above0),
  channelId: nullable(Id),
  productIds: nullable(Type.Array(Id, { minItems: 1, maxItems: 1000, uniqueItems: true })),
  startsAt: nullable(Timestamp),
  endsAt: nullable(Timestamp),
}
const limits = { useLimit: nullable(Limit), useLimitPerCustomer: nullable(Limit) }
const name = OneLine(100, { description: 'Shown to the shopper' })
const Discount = Type.Union([
  Type.Object({ kind: Type.Literal('percentage'), ratePpm: Type.Integer({ minimum: 1, maximum: 1_000_000 }) }),
  Type.Object({ kind: Type.Literal('amount'), amountMinor: Above0 }),
  Type.Object({ kind: Type.Literal('free_delivery') }),
])
const settings = {
  name, discount: Discount, active: Type.Boolean(),
  automatic: Type.Boolean({ description: 'Applies by itself; otherwise it needs one of its coupons' }),
  combines: Type.Boolean({ description: 'May apply beside other promotions that combine' }),
  priority: Type.Integer({
    minimum: 0, maximum: 1000, description: 'Of those that combine, the higher is taken off first',
  }),
  ...conditions, ...limits,
}
const Settings = Type.Object(settings)
export const NewPromotion = Type.Object({
  ...Type.Partial(Settings).properties, name, discount: Discount, automatic: settings.automatic,
})
export type NewPromotion = Static<typeof NewPromotion>
export const Promotion = Type.Object({
  id: Id, ...settings, used: Type.Integer({ description: 'Orders that hold or spent a use, where it is limited' }),
})
export type Promotion = Static<typeof Promotion>

mapConstraint('promotion_amount_has_currency', () => InvalidValue({ fields: [{
  path: 'body/currency', message: 'is missing: an amount off and a minimum subtotal are in a currency' }] }))
mapConstraint('promotion_ends_after_start',
  () => InvalidValue({ fields: [{ path: 'body/endsAt', message: 'must be after startsAt' }] }))

const columns = sql`
  id, name, active, automatic, combines, priority, currency, channel_id as "channelId", product_ids as "productIds",
  case kind when 'percentage' then jsonb_build_object('kind', kind, 'ratePpm', rate_ppm)
    when 'amount' then jsonb_build_object('kind', kind, 'amountMinor', amount_minor)
    else jsonb_build_object('kind', kind) end as discount,
  minimum_subtotal_minor as "minimumSubtotalMinor", starts_at as "startsAt", ends_at as "endsAt",
  use_limit as "useLimit", use_limit_per_customer as "useLimitPerCustomer",
  coalesce((select used from pricing.use_count where promotion_id = promotion.id and scope = 'all'), 0) as used`
const params = Type.Object({ promotionId: Id })
const read = { permission: 'pricing:read' }
const write = { permission: 'pricing:write' }
const tags = ['Promotions']

/**
 * Throws LimitExceeded when the promotion may take a larger share off a cart than the actor may give, delivery aside.
 * An amount off without a minimum may take all of it.
 */
export function requireGiving(
  actor: Actor, { discount, minimumSubtotalMinor }: Pick<NewPromotion, 'discount' | 'minimumSubtotalMinor'>,
): void {
  if (discount.kind === 'free_delivery') return
  const share = discount.kind === 'percentage' ? discount.ratePpm
    : Math.ceil(Math.min(1, discount.amountMinor / (minimumSubtotalMinor ?? 1)) * 1_000_000)
  requireDiscount(actor, share)
}

/** Creates the promotion or replaces its settings; what was counted stays. Throws InvalidValue. Idempotent. */
export async function savePromotion(tx: Tx, id: string, input: NewPromotion): Promise<Promotion> {
  if (input.currency && !isCurrency(input.currency)) {
    throw InvalidValue({ fields: [{ path: 'body/currency', message: 'is no ISO 4217 currency' }] })
  }
  const { discount } = input
  await tx.run(sql`
    insert into pricing.promotion (id, name, kind, rate_ppm, amount_minor, currency, automatic, combines, priority,
      channel_id, product_ids, minimum_subtotal_minor, starts_at, ends_at, active, use_limit, use_limit_per_customer)
    values (${id}, ${input.name}, ${discount.kind}, ${'ratePpm' in discount ? discount.ratePpm : null},
      ${'amountMinor' in discount ? discount.amountMinor : null}, ${input.currency ?? null}, ${input.automatic},
      ${input.combines ?? false}, ${input.priority ?? 0}, ${input.channelId ?? null},
      ${input.productIds ?? null}::uuid[], ${input.minimumSubtotalMinor ?? null}, ${input.startsAt ?? null},
      ${input.endsAt ?? null}, ${input.active ?? true}, ${input.useLimit ?? null}, ${input.useLimitPerCustomer ?? null})
    on conflict (id) do update set name = excluded.name, kind = excluded.kind, rate_ppm = excluded.rate_ppm,
      amount_minor = excluded.amount_minor, currency = excluded.currency, automatic = excluded.automatic,
      combines = excluded.combines, priority = excluded.priority, channel_id = excluded.channel_id,
      product_ids = excluded.product_ids, minimum_subtotal_minor = excluded.minimum_subtotal_minor,
      starts_at = excluded.starts_at, ends_at = excluded.ends_at, active = excluded.active,
      use_limit = excluded.use_limit, use_limit_per_customer = excluded.use_limit_per_customer`)
  return getPromotion(tx, id)
}

export async function getPromotion(conn: Conn, id: string): Promise<Promotion> {
  const promotion = await conn.maybe(Promotion, sql`select ${columns} from pricing.promotion where id = ${id}`)
  if (!promotion) throw PromotionNotFound({})
  return promotion
}

const listPromotions = route({
  method: 'GET', path: '/admin/promotions', access: read, tags, summary: 'List promotions, the newest first',
  query: Type.Object(PageQuery), response: { 200: Page(Promotion) }, problems: [InvalidCursor],
  async run({ db, query: { limit = 20, cursor } }) {
    const after = idAfter(cursor)
    return page(await db.many(Promotion, sql`
      select ${columns} from pricing.promotion where ${after}::uuid is null or id < ${after}::uuid
      order by id desc limit ${limit + 1}`), limit, ({ id }) => id)
  },
})

const readPromotion = route({
  method: 'GET', path: '/admin/promotions/:promotionId', access: read, tags, params, summary: 'Read a promotion',
  response: { 200: Promotion }, problems: [PromotionNotFound],
  run: ({ db, params: { promotionId } }) => getPromotion(db, promotionId),
})

const postPromotion = route({
  method: 'POST', path: '/admin/promotions', access: write, tags, summary: 'Create a promotion',
  body: NewPromotion, response: { 201: Promotion }, problems: [PromotionNotFound, InvalidValue, LimitExceeded],
  async run({ db, context, body }) {
    requireGiving(context.actor, body)
    const id = resultId(context)
    return db.transaction(context, (tx) => savePromotion(tx, id, body))
  },
  replay: ({ db, resultId: id }) => getPromotion(db, id),
})

const patchPromotion = route({
  method: 'PATCH', path: '/admin/promotions/:promotionId', access: write, tags, params, summary: 'Change a promotion',
  description: 'A limit below what was used already stops further uses; nothing is taken back.',
  body: Type.Partial(Settings), response: { 200: Promotion },
  problems: [PromotionNotFound, InvalidValue, LimitExceeded],
  run: ({ db, context, params: { promotionId }, body }) => db.transaction(context, async (tx) => {
    const before = await tx.maybe(Promotion, sql`
      select ${columns} from pricing.promotion where id = ${promotionId} for update`)
    if (!before) throw PromotionNotFound({})
    const promotion = { ...before, ...body }
    requireGiving(context.actor, promotion)
    return savePromotion(tx, promotionId, promotion)
  }),
})

const deletePromotion = route({
  method: 'DELETE', path: '/admin/promotions/:promotionId', access: write, tags, params,
  summary: 'Delete a promotion with its coupons and counts', description: 'Orders keep what they were sold with.',
  response: { 204: null }, problems: [PromotionNotFound],
  run: ({ db, context, params: { promotionId } }) => db.transaction(context, async (tx) => {
    if (await tx.run(sql`delete from pricing.promotion where id = ${promotionId}`) === 0) throw PromotionNotFound({})
  }),
})

export const promotionRoutes = [listPromotions, readPromotion, postPromotion, patchPromotion, deletePromotion]
