// Coupons: the codes that open a promotion. One by one with a word that people can say, or a batch of codes that
// nobody can guess, each good for one order.
import { randomInt } from 'node:crypto'
import { Type, type Static } from 'typebox'
import { LimitExceeded } from '../../platform/authority.ts'
import { mapConstraint, resultId, sql, type Conn, type Statement, type Tx } from '../../platform/db.ts'
import { Id, Page, PageQuery, route, Timestamp } from '../../platform/http.ts'
import { newId } from '../../platform/id.ts'
import { InvalidCursor, InvalidValue } from '../../platform/problem.ts'
import { idAfter, page } from './internal/page.ts'
import { CouponCodeTaken, CouponNotFound, normalizeCode, nullable, PromotionNotFound } from './pricing.ts'
import { getPromotion, requireGiving } from './promotions.ts'

const changeable = {
  useLimit: nullable(Type.Integer({ minimum: 0, maximum: 1_000_000_000, description: 'Orders with this code' })),
  startsAt: nullable(Timestamp),
  endsAt: nullable(Timestamp),
  active: Type.Boolean(),
}
const Changeable = Type.Partial(Type.Object(changeable))
const code = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{1,39}$', description: 'Kept in upper case', examples: ['SUMMER'],
})
export const Coupon = Type.Object({
  id: Id, promotionId: Id, code: Type.String(), batchId: nullable(Id), ...changeable,
  used: Type.Integer({ description: 'Orders that hold or spent this code, where it is limited' }),
})
export type Coupon = Static<typeof Coupon>
export const NewCoupon = Type.Object({ code, ...Changeable.properties })
export type NewCoupon = Static<typeof NewCoupon>
const NewBatch = Type.Object({
  count: Type.Integer({ minimum: 1, maximum: 1000 }),
  prefix: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,19}$' })),
  ...Changeable.properties,
})
const Coupons = Type.Object({ items: Type.Array(Coupon) })

mapConstraint('coupon_code_unique', () => CouponCodeTaken({}, 'Choose another code, or change that coupon.'))
mapConstraint('coupon_promotion_fkey', () => PromotionNotFound({}))
mapConstraint('coupon_ends_after_start',
  () => InvalidValue({ fields: [{ path: 'body/endsAt', message: 'must be after startsAt' }] }))

// 31 characters that cannot be mistaken for each other; ten of them are 49 bits, beyond guessing at the rate we answer.
const ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'
const RANDOM_CHARACTERS = 10

const columns = sql`id, promotion_id as "promotionId", code, batch_id as "batchId", use_limit as "useLimit",
  starts_at as "startsAt", ends_at as "endsAt", active,
  coalesce((select used from pricing.use_count
    where use_count.promotion_id = coupon.promotion_id and scope = 'code:' || code), 0) as used`
const params = Type.Object({ promotionId: Id })
const couponParams = Type.Object({ couponId: Id })
const read = { permission: 'pricing:read' }
const write = { permission: 'pricing:write' }
const tags = ['Promotions']

/** Throws PromotionNotFound and CouponCodeTaken. Idempotent by id, so a job that issues a code may run again. */
export async function createCoupon(tx: Tx, id: string, promotionId: string, input: NewCoupon): Promise<Coupon> {
  await tx.run(insertCoupons(promotionId, null, [{ id, code: input.code }], input, sql`on conflict (id) do nothing`))
  return getCoupon(tx, id)
}

async function createBatch(
  tx: Tx, batchId: string, promotionId: string, { count, prefix = '', ...rest }: Static<typeof NewBatch>,
): Promise<Static<typeof Coupons>> {
  const limited = { useLimit: 1, ...rest }
  for (let missing = count; missing > 0;) {
    const drawn = Array.from({ length: missing }, () => ({ id: newId(), code: prefix + randomCode() }))
    missing -= await tx.run(insertCoupons(promotionId, batchId, drawn, limited, sql`on conflict (code) do nothing`))
  }
  return { items: await listBatch(tx, batchId) }
}

function randomCode(): string {
  return Array.from({ length: RANDOM_CHARACTERS }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
}

function insertCoupons(
  promotionId: string, batchId: string | null, coupons: { id: string; code: string }[],
  input: Static<typeof Changeable>, onConflict: Statement,
): Statement {
  return sql`
    insert into pricing.coupon (id, promotion_id, batch_id, code, starts_at, ends_at, active, use_limit)
    select id, ${promotionId}, ${batchId}::uuid, code, ${input.startsAt ?? null}, ${input.endsAt ?? null},
      ${input.active ?? true}, ${input.useLimit ?? null}
    from unnest(
      ${coupons.map((coupon) => coupon.id)}::uuid[], ${coupons.map((coupon) => normalizeCode(coupon.code))}::text[]
    ) as coupon (id, code)
    ${onConflict}`
}

async function getCoupon(conn: Conn, id: string): Promise<Coupon> {
  const coupon = await conn.maybe(Coupon, sql`select ${columns} from pricing.coupon where id = ${id}`)
  if (!coupon) throw CouponNotFound({})
  return coupon
}

async function listBatch(conn: Conn, batchId: string): Promise<Coupon[]> {
  return conn.many(Coupon, sql`select ${columns} from pricing.coupon where batch_id = ${batchId} order by id`)
}

const listCoupons = route({
  method: 'GET', path: '/admin/coupons', access: read, tags, summary: 'List coupons, the newest first',
  query: Type.Object({ ...PageQuery, promotionId: Type.Optional(Id), code: Type.Optional(code) }),
  response: { 200: Page(Coupon) }, problems: [InvalidCursor],
  async run({ db, query: { limit = 20, cursor, promotionId = null, code: wanted } }) {
    const after = idAfter(cursor)
    const byCode = wanted === undefined ? null : normalizeCode(wanted)
    return page(await db.many(Coupon, sql`
      select ${columns} from pricing.coupon
      where (${promotionId}::uuid is null or promotion_id = ${promotionId}::uuid)
        and (${byCode}::text is null or code = ${byCode}::text)
        and (${after}::uuid is null or id < ${after}::uuid)
      order by id desc limit ${limit + 1}`), limit, ({ id }) => id)
  },
})

const postCoupon = route({
  method: 'POST', path: '/admin/promotions/:promotionId/coupons', access: write, tags, params,
  summary: 'Create a coupon', body: NewCoupon, response: { 201: Coupon },
  problems: [PromotionNotFound, CouponNotFound, CouponCodeTaken, InvalidValue, LimitExceeded],
  async run({ db, context, params: { promotionId }, body }) {
    const id = resultId(context)
    return db.transaction(context, async (tx) => {
      requireGiving(context.actor, await getPromotion(tx, promotionId))
      return createCoupon(tx, id, promotionId, body)
    })
  },
  replay: ({ db, resultId: id }) => getCoupon(db, id),
})

const postBatch = route({
  method: 'POST', path: '/admin/promotions/:promotionId/coupon-batches', access: write, tags, params,
  summary: 'Generate up to 1,000 coupons', description: 'Each code works for one order unless useLimit says otherwise.',
  body: NewBatch, response: { 201: Coupons }, problems: [PromotionNotFound, InvalidValue, LimitExceeded],
  async run({ db, context, params: { promotionId }, body }) {
    const batchId = resultId(context)
    return db.transaction(context, async (tx) => {
      requireGiving(context.actor, await getPromotion(tx, promotionId))
      return createBatch(tx, batchId, promotionId, body)
    })
  },
  replay: async ({ db, resultId: batchId }) => ({ items: await listBatch(db, batchId) }),
})

const patchCoupon = route({
  method: 'PATCH', path: '/admin/coupons/:couponId', access: write, tags, params: couponParams,
  summary: 'Change a coupon', body: Changeable, response: { 200: Coupon },
  problems: [CouponNotFound, InvalidValue, LimitExceeded],
  run: ({ db, context, params: { couponId }, body }) => db.transaction(context, async (tx) => {
    const before = await tx.maybe(Coupon, sql`select ${columns} from pricing.coupon where id = ${couponId} for update`)
    if (!before) throw CouponNotFound({})
    requireGiving(context.actor, await getPromotion(tx, before.promotionId))
    const coupon = { ...before, ...body }
    await tx.run(sql`
      update pricing.coupon set use_limit = ${coupon.useLimit}, starts_at = ${coupon.startsAt},
        ends_at = ${coupon.endsAt}, active = ${coupon.active}
      where id = ${couponId}`)
    return getCoupon(tx, couponId)
  }),
})

const deleteCoupon = route({
  method: 'DELETE', path: '/admin/coupons/:couponId', access: write, tags, params: couponParams,
  summary: 'Delete a coupon with its count', response: { 204: null }, problems: [CouponNotFound],
  run: ({ db, context, params: { couponId } }) => db.transaction(context, async (tx) => {
    const deleted = await tx.run(sql`
      with coupon as (delete from pricing.coupon where id = ${couponId} returning promotion_id, code),
      counted as (
        delete from pricing.use_count using coupon
        where use_count.promotion_id = coupon.promotion_id and scope = 'code:' || coupon.code)
      select from coupon`)
    if (deleted === 0) throw CouponNotFound({})
  }),
})

export const couponRoutes = [listCoupons, postCoupon, postBatch, patchCoupon, deleteCoupon]
