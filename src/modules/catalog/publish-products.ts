// Shows products in a channel, or takes them out of it, many in one call, at once or at a set time. What is due by the
// clock needs no job to happen, because every read compares the dates; a sweep only tells the caches.
import { Type } from 'typebox'
import { sql, systemContext, type Db, type Tx } from '../../platform/db.ts'
import { Id, route, Timestamp } from '../../platform/http.ts'
import { InvalidValue } from '../../platform/problem.ts'
import { announceProducts } from './announce-products.ts'
import { ChannelNotFound, ProductNotFound } from './catalog.ts'

const Touched = Type.Object({ productId: Type.String() })

/** When a publication next changes what is shown, seen from now; null when it never does. */
const nextChange = sql`case when published_from > now() then published_from when published_until > now()
  then published_until end`

export type PublicationDates = { from?: string | undefined; until?: string | null | undefined }

/**
 * Publishes products in a channel. Without `from` they appear now, or stay since when they are there; `until` null
 * means for good. Asked twice it is the same. Throws ProductNotFound, ChannelNotFound, InvalidValue.
 */
export async function publishProducts(
  tx: Tx, channelId: string, productIds: readonly string[], { from, until }: PublicationDates = {},
): Promise<void> {
  if (until && Date.parse(until) <= (from ? Date.parse(from) : Date.now())) {
    throw InvalidValue({ fields: [{ path: 'body/until', message: from ? 'must be after from' : 'must lie ahead' }] })
  }
  const touched = await tx.many(Touched, sql`
    with wanted as (
      select distinct id, coalesce(${from ?? null}::timestamptz, now()) as published_from,
        ${until ?? null}::timestamptz as published_until
        from unnest(${[...productIds]}::uuid[]) as id)
    insert into catalog.publication as present (product_id, channel_id, published_from, published_until, changes_at)
    select id, ${channelId}, published_from, published_until, ${nextChange} from wanted order by id
    on conflict (product_id, channel_id) do update
      set changes_at = excluded.changes_at, published_until = excluded.published_until,
      published_from = case when ${from ?? null}::timestamptz is null
        then least(present.published_from, excluded.published_from) else excluded.published_from end
    where present.published_until is distinct from excluded.published_until
      or present.published_from > excluded.published_from
       or (${from ?? null}::timestamptz is not null and present.published_from <> excluded.published_from)
    returning product_id as "productId"`)
  await announceProducts(tx, touched.map(({ productId }) => productId))
}

/** Takes products out of a channel now. Asked twice, or for what is not there, it changes nothing. */
export async function unpublishProducts(tx: Tx, channelId: string, productIds: readonly string[]): Promise<void> {
  const touched = await tx.many(Touched, sql`
    delete from catalog.publication where channel_id = ${channelId} and product_id = any (${[...productIds]}::uuid[])
    returning product_id as "productId"`)
  await announceProducts(tx, touched.map(({ productId }) => productId))
}

/** The sweep: announces what appeared or disappeared by the clock. Rows that another worker took are skipped. */
export async function announcePublications(db: Db): Promise<number> {
  return db.transaction(systemContext(), async (tx) => {
    const due = await tx.many(Touched, sql`
      update catalog.publication set changes_at = ${nextChange}
       where (product_id, channel_id) in (
         select product_id, channel_id from catalog.publication where changes_at <= now()
          order by changes_at limit 500 for update skip locked)
      returning product_id as "productId"`)
    await announceProducts(tx, due.map(({ productId }) => productId))
    return due.length
  })
}

const params = Type.Object({ channelId: Id })
const productIds = Type.Array(Id, { minItems: 1, maxItems: 1_000, uniqueItems: true })
const access = { permission: 'catalog:write' }

const postPublications = route({
  method: 'POST', path: '/admin/channels/:channelId/publish', access, tags: ['Channels'],
  summary: 'Publish products in a channel',
  params, body: Type.Object({
    productIds, from: Type.Optional(Timestamp), until: Type.Optional(Type.Union([Timestamp, Type.Null()])),
  }),
  response: { 204: null }, problems: [ChannelNotFound, ProductNotFound, InvalidValue],
  run: ({ db, context, params: { channelId }, body }) =>
    db.transaction(context, (tx) => publishProducts(tx, channelId, body.productIds, body)),
  replay: async () => undefined,
})

const postWithdrawals = route({
  method: 'POST', path: '/admin/channels/:channelId/unpublish', access, tags: ['Channels'],
  summary: 'Take products out of a channel',
  params, body: Type.Object({ productIds }), response: { 204: null },
  run: ({ db, context, params: { channelId }, body }) =>
    db.transaction(context, (tx) => unpublishProducts(tx, channelId, body.productIds)),
  replay: async () => undefined,
})

export const publicationRoutes = [postPublications, postWithdrawals]
