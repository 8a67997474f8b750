// Keeps browse.offer what catalogue, pricing and inventory say: their events rewrite the offers of the products that
// they name, milliseconds after the change. Rewritten is under the product's lock and from a statement that begins
// after it, so of two changes at once whoever comes second has seen both. What an event could not tell (a database
// that was mended by hand) is found by the check, which looks at every product once an hour.

import { Type } from 'typebox'
import { invalidate } from '../../platform/cache.ts'
import { sql, systemContext, type Db, type Tx } from '../../platform/db.ts'
import { counter } from '../../platform/metrics.ts'
import { PRODUCTS_TAG } from '../catalog/catalog.ts'

const Product = Type.Object({ productId: Type.String() })
const Variant = Type.Object({ productId: Type.String(), variantIds: Type.Array(Type.String()) })
const Changed = Type.Object({ changed: Type.Integer() })
const AT_ONCE = 200             // products in a transaction: 50 ms, which others who change them wait for
const repairs = counter('offers_repaired_total', 'Offers that the hourly check found out of date', [])

/** Rewrites the offers of these products; answers how many were not as they should be. Idempotent. */
export async function refreshOffers(tx: Tx, productIds: readonly string[]): Promise<number> {
  const ids = [...new Set(productIds)].sort()
  const [, { changed }] = await Promise.all([
    tx.run(sql`
      insert into browse.offered_product (product_id, checked_at) select id, now() from unnest(${ids}::uuid[]) as id
      on conflict (product_id) do update set checked_at = excluded.checked_at`),
    tx.one(Changed, sql`
      with offered as materialized (
        select product_id, channel_id, currency, prices, prices_in_stock from browse.current_offer
        where product_id = any(${ids}::uuid[])
      ), withdrawn as (
        delete from browse.offer where product_id = any(${ids}::uuid[])
          and (product_id, channel_id, currency) not in (select product_id, channel_id, currency from offered)
        returning product_id
      ), written as (
        insert into browse.offer as present (product_id, channel_id, currency, prices, prices_in_stock)
        select * from offered
        on conflict (product_id, channel_id, currency) do update
          set prices = excluded.prices, prices_in_stock = excluded.prices_in_stock
          where (present.prices, present.prices_in_stock) is distinct from (excluded.prices, excluded.prices_in_stock)
        returning product_id
      )
      select (select count(*) from withdrawn) + (select count(*) from written) as changed`),
  ])
  return changed
}

/** After a change of products or prices: lists that were made meanwhile may be in the old order. */
export async function followProducts(db: Db, productIds: readonly string[]): Promise<void> {
  await inParts(db, productIds, async (tx, some) => {
    if (await refreshOffers(tx, some) > 0) await invalidate(tx, [PRODUCTS_TAG])
  })
}

export async function followPrices(db: Db, variantIds: readonly string[]): Promise<void> {
  await followProducts(db, await productsOf(db, variantIds))
}

/**
 * Drops no answers: a list that asks for stock is made anew every two seconds (list-products.ts). Most sales leave more
 * than nothing of what was there, which changes no list.
 */
export async function followStock(db: Db, variantIds: readonly string[]): Promise<void> {
  const variants = await db.many(Variant, sql`
    select product_id as "productId", array_agg(variant_id) as "variantIds" from catalog.active_variant
    where variant_id = any(${[...variantIds]}::uuid[]) group by product_id`)
  const variantsOf = new Map(variants.map((row) => [row.productId, row.variantIds]))
  await inParts(db, [...variantsOf.keys()], async (tx, productIds) => {
    const turned = await turnedProducts(tx, productIds, productIds.flatMap((id) => variantsOf.get(id)!))
    if (turned.length > 0) await refreshOffers(tx, turned)
  })
}

// Of these products those whose offers do not say that all of the variants, or none, can be had, as it now is. Looked
// up after the rows are locked: an offer that another is about to write counts as written.
async function turnedProducts(tx: Tx, productIds: readonly string[], variantIds: readonly string[]): Promise<string[]> {
  const [, turned] = await Promise.all([
    tx.run(sql`select from browse.offered_product where product_id = any(${[...productIds]}::uuid[])
      order by product_id for update`),
    tx.many(Product, sql`
      select changed.product_id as "productId"
      from (
        select product_id, bool_or(can_be_had) as some_in, bool_or(not can_be_had) as some_out
        from catalog.active_variant as variant
        cross join lateral (
          select coalesce(bool_or(not tracked or available > 0 or backorder), false) as can_be_had
          from inventory.variant_availability where variant_id = variant.variant_id
        ) as stock
        where variant_id = any(${[...variantIds]}::uuid[])
        group by product_id
      ) as changed
      left join browse.offered_product using (product_id)
      cross join lateral (
        select bool_and(prices = prices_in_stock) as all_in, bool_or(in_stock) as any_in
        from browse.offer where product_id = changed.product_id
      ) as listed
      where offered_product.product_id is null or some_in and not all_in or some_out and any_in`),
  ])
  return turned.map(({ productId }) => productId)
}

async function inParts(
  db: Db, productIds: readonly string[], work: (tx: Tx, some: readonly string[]) => Promise<unknown>,
): Promise<void> {
  const ids = [...productIds].sort()
  for (let first = 0; first < ids.length; first += AT_ONCE) {
    await db.transaction(systemContext(), (tx) => work(tx, ids.slice(first, first + AT_ONCE)))
  }
}

async function productsOf(db: Db, variantIds: readonly string[]): Promise<string[]> {
  const rows = await db.many(Product, sql`
    select distinct product_id as "productId" from catalog.active_variant
    where variant_id = any(${[...variantIds]}::uuid[])`)
  return rows.map(({ productId }) => productId)
}

const TURNS = 10                // of a sweep: a shop that has just learnt to keep offers has them within minutes

/** The sweep: looks at the products that nobody looked at for an hour, and counts what it had to repair. */
export async function checkOffers(db: Db): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    const found = await db.transaction(systemContext(), async (tx) => {
      const due = await tx.many(Product, sql`
        select product_id as "productId" from browse.offered_product where checked_at < now() - interval '1 hour'
        order by checked_at limit ${AT_ONCE} for update skip locked`)
      if (due.length === 0) return 0
      const repaired = await refreshOffers(tx, due.map(({ productId }) => productId))
      if (repaired > 0) {
        repairs.inc({}, repaired)
        await invalidate(tx, [PRODUCTS_TAG])
      }
      return due.length
    })
    if (found < AT_ONCE) return
  }
}
