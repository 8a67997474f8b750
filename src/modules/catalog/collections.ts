// Collections: products that a merchant puts together by hand and in an order of their own. `kind` leaves room for
// those that follow a rule.
import { Type, type Static } from 'typebox'
import { invalidate } from '../../platform/cache.ts'
import { none, sql, type Conn, type Tx } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { decodeCursor, encodeCursor, Id } from '../../platform/http.ts'
import { announceProducts } from './announce-products.ts'
import {
  CollectionChanged, CollectionNotFound, GROUPS_TAG, Handle, HandleTaken, Membership, PRODUCTS_TAG, ProductNotFound,
  Title,
} from './catalog.ts'
import { formerOwner, handleFrom, rememberHandles } from './handles.ts'
import { sanitize } from './internal/sanitize.ts'

export const CollectionInput = Type.Object({
  title: Title, handle: Type.Optional(Handle), descriptionHtml: Type.Optional(Type.String({ maxLength: 100_000 })),
  active: Type.Optional(Type.Boolean()),
})
export type CollectionInput = Static<typeof CollectionInput>
export const CollectionPatch = Type.Partial(CollectionInput)
export const Collection = Type.Object({
  id: Id, handle: Type.String(), title: Type.String(), descriptionHtml: Type.String(), kind: Type.Enum(['manual']),
  active: Type.Boolean(),
  productCount: Type.Integer(), version: Type.Integer(),
})
export type Collection = Static<typeof Collection>

const columns = sql`id, handle, title, description_html as "descriptionHtml", kind, active, version,
  (select count(*) from catalog.collection_product where collection_id = collection.id) as "productCount"`

/** Throws CollectionNotFound. */
export async function getCollection(conn: Conn, collectionId: string): Promise<Collection> {
  const collection = await conn.maybe(Collection,
    sql`select ${columns} from catalog.collection where id = ${collectionId}`)
  if (!collection) throw CollectionNotFound({ collectionId })
  return collection
}

/** A page of collections by title. Throws InvalidCursor. */
export async function listCollections(conn: Conn,
  { limit = 20, cursor, active }: { limit?: number; cursor?: string; active?: boolean } = {}) {
  const [title, id] = cursor ? decodeCursor(cursor, [Type.String(), Id]) : []
  const items = await conn.many(Collection, sql`
    select ${columns} from catalog.collection
     where true ${active === undefined ? none : sql`and active = ${active}`} ${id
       ? sql`and (title, id) > (${title}, ${id}::uuid)` : none}
     order by title, id limit ${limit + 1}`)
  const last = items[limit - 1]
  return { items: items.slice(0, limit),
    nextCursor: items.length > limit && last ? encodeCursor([last.title, last.id]) : null }
}

/** Creates a collection under this id; without a handle, its title gives it. Throws HandleTaken. */
export async function createCollection(
  tx: Tx, id: string, { title, handle, descriptionHtml = '', active = true }: CollectionInput,
): Promise<void> {
  await Promise.all([
    tx.run(sql`insert into catalog.collection (id, handle, title, description_html, active)
      values (${id}, ${handle ?? (handleFrom(title) || id)}, ${title}, ${sanitize(descriptionHtml)}, ${active})`),
    announceCollection(tx, id),
  ])
}

/** Changes the fields that are given. Throws CollectionNotFound, HandleTaken. */
export async function updateCollection(
  tx: Tx, id: string, { title, handle, descriptionHtml, active }: Partial<CollectionInput>,
): Promise<void> {
  const before = await getCollection(tx, id)
  await Promise.all([
    tx.run(sql`
      update catalog.collection set title = coalesce(${title}, title), handle = coalesce(${handle}, handle),
        description_html = coalesce(${descriptionHtml === undefined ? undefined : sanitize(descriptionHtml)},
        description_html),
        active = coalesce(${active}, active), version = version + 1
      where id = ${id}`),
    handle && handle !== before.handle ? rememberHandles(tx, 'collection', [{ id, handle: before.handle }]) : undefined,
    announceCollection(tx, id),
  ])
}

/**
 * Makes these products, in this order, the members. Asked twice it is the same. Throws CollectionNotFound,
 * ProductNotFound.
 */
export async function setCollectionProducts(
  tx: Tx, collectionId: string, productIds: readonly string[],
): Promise<void> {
  await lockCollection(tx, collectionId)
  const touched = await tx.many(Touched, sql`
    with wanted as (
      select id as product_id, place::integer as position
        from unnest(${[...productIds]}::uuid[]) with ordinality as wanted (id, place)),
    gone as (
      delete from catalog.collection_product member where collection_id = ${collectionId}
         and not exists (select from wanted where wanted.product_id = member.product_id)
      returning product_id),
    kept as (
      insert into catalog.collection_product as member (collection_id, product_id, position)
      select ${collectionId}, product_id, position from wanted
      on conflict (collection_id, product_id) do update set position = excluded.position
        where member.position <> excluded.position
      returning product_id)
    select product_id as "productId" from gone union select product_id from kept`)
  if (touched.length === 0) return
  await Promise.all([announceProducts(tx, touched.map(({ productId }) => productId)),
    announceCollection(tx, collectionId)])
}

/**
 * Adds products at the end and takes others out. Asked twice it is the same. Throws CollectionNotFound,
 * ProductNotFound.
 */
export async function changeCollectionProducts(
  tx: Tx, collectionId: string, { add = [], remove = [] }: Membership,
): Promise<void> {
  await lockCollection(tx, collectionId)
  const touched = await tx.many(Touched, sql`
    with gone as (
      delete from catalog.collection_product where collection_id = ${collectionId}
        and product_id = any (${remove}::uuid[]) returning product_id),
    added as (
      insert into catalog.collection_product (collection_id, product_id, position)
      select ${collectionId}, id, place + coalesce((select max(position) from catalog.collection_product
        where collection_id = ${collectionId}), 0)
        from unnest(${add}::uuid[]) with ordinality as added (id, place)
      on conflict do nothing returning product_id)
    select product_id as "productId" from gone union select product_id from added`)
  await Promise.all([announceProducts(tx, touched.map(({ productId }) => productId)),
    announceCollection(tx, collectionId)])
}

const Touched = Type.Object({ productId: Type.String() })

async function lockCollection(tx: Tx, collectionId: string): Promise<void> {
  const locked = await tx.run(sql`update catalog.collection set version = version + 1 where id = ${collectionId}`)
  if (locked === 0) throw CollectionNotFound({ collectionId })
}

async function announceCollection(tx: Tx, id: string): Promise<void> {
  await Promise.all([invalidate(tx, [GROUPS_TAG, PRODUCTS_TAG]),
    publish(tx, CollectionChanged, { collectionIds: [id] })])
}

export type CollectionByHandle = { kind: 'found'; collection: Collection } | { kind: 'moved'; handle: string }
  | { kind: 'missing' }

/** The active collection of this handle; `moved` when the handle is a former one. */
export async function getCollectionByHandle(conn: Conn, handle: string): Promise<CollectionByHandle> {
  const collection = await conn.maybe(Collection,
    sql`select ${columns} from catalog.collection where handle = ${handle} and active`)
  if (collection) return { kind: 'found', collection }
  const owner = await formerOwner(conn, 'collection', handle)
  const moved = owner && await conn.maybe(Collection,
    sql`select ${columns} from catalog.collection where id = ${owner} and active`)
  return moved ? { kind: 'moved', handle: moved.handle } : { kind: 'missing' }
}
