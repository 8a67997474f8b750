// Products as a channel shows them: published there now, with what may be bought of them. Batch reads in one statement
// each, for the module that answers shoppers.
import { Type, type Static } from 'typebox'
import { sql, type Conn } from '../../platform/db.ts'
import { Id, Timestamp } from '../../platform/http.ts'
import { Attributes, Image, nullable, Options, OptionValues } from './catalog.ts'
import { formerOwner } from './handles.ts'
import { imagesOf } from './get-product.ts'

export const ListedVariant = Type.Object({
  id: Id, title: Type.String(), options: OptionValues, sku: nullable(Type.String()), barcode: nullable(Type.String()),
  weightGrams: Type.Integer(), requiresShipping: Type.Boolean(), imageUrl: nullable(Type.String()),
})
export const ListedProduct = Type.Object({
  id: Id, handle: Type.String(), title: Type.String(), descriptionHtml: Type.String(), vendor: Type.String(),
  type: Type.String(),
  tags: Type.Array(Type.String()), seoTitle: Type.String(), seoDescription: Type.String(), options: Options,
  attributes: Attributes,
  images: Type.Array(Image), variants: Type.Array(ListedVariant),
  categories: Type.Array(Type.Object({ id: Id, handle: Type.String(), name: Type.String() })),
  publishedFrom: Timestamp, updatedAt: Timestamp,
})
export type ListedProduct = Static<typeof ListedProduct>

/** Those of the products that the channel shows now, in the order of the ids. */
export async function getProducts(
  conn: Conn, channelId: string, productIds: readonly string[],
): Promise<ListedProduct[]> {
  return conn.many(ListedProduct, sql`
    select product.id, handle, title, description_html as "descriptionHtml", vendor, type, tags,
      seo_title as "seoTitle",
      seo_description as "seoDescription", options, attributes, published_from as "publishedFrom",
      product.updated_at as "updatedAt",
      (${imagesOf(sql`product.id`)}) as images,
      (select coalesce(jsonb_agg(jsonb_build_object('id', variant.id, 'title', title, 'options', options, 'sku', sku,
      'barcode', barcode,
          'weightGrams', weight_grams, 'requiresShipping', requires_shipping, 'imageUrl', image.url)
            order by variant.position), '[]')
         from catalog.variant left join catalog.product_image image on image.id = variant.image_id
        where variant.product_id = product.id and variant.active) as variants,
      (select coalesce(jsonb_agg(jsonb_build_object('id', category.id, 'handle', category.handle, 'name', name)
        order by path), '[]')
         from catalog.product_category membership join catalog.category on category.id = membership.category_id
        where membership.product_id = product.id and active) as categories
    from unnest(${[...productIds]}::uuid[]) with ordinality as wanted (id, place)
    join catalog.product on product.id = wanted.id
    join catalog.publication on publication.product_id = product.id and publication.channel_id = ${channelId}
    join catalog.channel on channel.id = publication.channel_id
    where product.status = 'active' and channel.active and ${shownNow}
    order by place`)
}

/** Whether a row of catalog.publication holds at this moment. */
export const shownNow = sql`publication.published_from <= now() and (publication.published_until is null
  or publication.published_until > now())`

export type ByHandle = { kind: 'found'; product: ListedProduct } | { kind: 'moved'; handle: string }
  | { kind: 'missing' }

/**
 * The product of this handle in the channel; `moved` when the handle is a former one, with the present handle to
 * redirect to.
 */
export async function getProductByHandle(conn: Conn, channelId: string, handle: string): Promise<ByHandle> {
  const Found = Type.Object({ id: Type.String() })
  const present = await conn.maybe(Found, sql`select id from catalog.product where handle = ${handle}`)
  const owner = present?.id ?? await formerOwner(conn, 'product', handle)
  const [product] = owner ? await getProducts(conn, channelId, [owner]) : []
  if (!product) return { kind: 'missing' }
  return present ? { kind: 'found', product } : { kind: 'moved', handle: product.handle }
}
