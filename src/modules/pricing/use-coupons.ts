// Counting the uses of limited promotions and coupons. A use belongs to an order: held with it, confirmed when it is
// placed, released when it lapses or is cancelled. The limit is kept by the CHECK coupon_within_limit on the counter's
// row, which every order that counts must update: nothing is read first, so nothing can race. Counters are locked in
// key order; a promotion without limits locks nothing.
import { Type } from 'typebox'
import { mapConstraint, sql, type Tx } from '../../platform/db.ts'
import { customerScope } from './internal/scope.ts'
import { CouponExhausted, type Quote } from './pricing.ts'

mapConstraint('coupon_within_limit', () =>
  CouponExhausted({}, 'Somebody else took its last use. Ask for a new quote; its total has changed.'))

/**
 * Holds one use of each limited promotion in the quote. One statement, for the commit trip; none when nothing is
 * limited. Fails as SQL (CouponExhausted) at a limit. Asked twice for an order, it counts once.
 */
export async function useCoupons(
  tx: Tx, orderId: string, quote: Pick<Quote, 'promotions'>, customerKey: string,
): Promise<void> {
  const limited = quote.promotions.filter((promotion) => promotion.limited)
  if (limited.length === 0) return
  const codes = limited.flatMap(({ code }) => code ?? [])
  await tx.run(sql`
    with wanted as (
      select id as promotion_id, 'all' as scope, use_limit from pricing.promotion
      where id = any(${limited.map(({ promotionId }) => promotionId)}::uuid[]) and use_limit is not null
      union all
      select id, ${customerScope(customerKey)}, use_limit_per_customer from pricing.promotion
      where id = any(${limited.map(({ promotionId }) => promotionId)}::uuid[]) and use_limit_per_customer is not null
      union all
      select promotion_id, 'code:' || code, use_limit from pricing.coupon
      where code = any(${codes}::text[]) and use_limit is not null
    ), held as (
      insert into pricing.coupon_use (order_id, promotion_id, scope)
      select ${orderId}, promotion_id, scope from wanted
      on conflict do nothing
      returning promotion_id, scope
    )
    insert into pricing.use_count (promotion_id, scope, used, use_limit)
    select promotion_id, scope, 1, use_limit from held join wanted using (promotion_id, scope)
    order by promotion_id, scope
    on conflict (promotion_id, scope) do update set used = use_count.used + 1, use_limit = excluded.use_limit`)
}

/**
 * The order is placed: its uses are spent. Uses that were released meanwhile (the payment came late) are taken again
 * where every limit has room, all or none; 'lost' when one has not, and then nothing is changed. Asked twice, the
 * answer is the same. Both columns of the CHECK are set from the locked row: PostgreSQL tries an update, and with it
 * the CHECK, on the version that the statement saw first, which may be full although the newest has room.
 */
export async function confirmCoupons(tx: Tx, orderId: string): Promise<'confirmed' | 'lost'> {
  const [, left] = await Promise.all([tx.run(sql`
    with use as (
      select promotion_id, scope, state from pricing.coupon_use
      where order_id = ${orderId} and state <> 'confirmed'
      order by promotion_id, scope for update
    ), counter as (
      select use_count.promotion_id, use_count.scope, use_count.used, use_count.use_limit
      from pricing.use_count join use using (promotion_id, scope)
      where use.state = 'released'
      order by use_count.promotion_id, use_count.scope for update of use_count
    ), room as (
      select coalesce(bool_and(used < use_limit), true) as enough from counter
    ), taken as (
      update pricing.use_count set used = counter.used + 1, use_limit = counter.use_limit
      from counter cross join room
      where use_count.promotion_id = counter.promotion_id and use_count.scope = counter.scope and room.enough
    )
    update pricing.coupon_use set state = 'confirmed'
    from use cross join room
    where coupon_use.order_id = ${orderId}
      and coupon_use.promotion_id = use.promotion_id and coupon_use.scope = use.scope and room.enough`),
  tx.one(Left, sql`
    select exists (select from pricing.coupon_use where order_id = ${orderId} and state <> 'confirmed') as lost`)])
  return left.lost ? 'lost' : 'confirmed'
}
const Left = Type.Object({ lost: Type.Boolean() })

/** Gives back what the order holds or has spent: it lapsed or was cancelled. Asked twice, it gives back once. */
export async function releaseCoupons(tx: Tx, orderId: string): Promise<void> {
  await tx.run(sql`
    with released as (
      update pricing.coupon_use set state = 'released' where order_id = ${orderId} and state <> 'released'
      returning promotion_id, scope
    ), counter as (
      select promotion_id, scope from pricing.use_count join released using (promotion_id, scope)
      order by promotion_id, scope for update of use_count
    )
    update pricing.use_count set used = use_count.used - 1
    from counter
    where use_count.promotion_id = counter.promotion_id and use_count.scope = counter.scope`)
}
