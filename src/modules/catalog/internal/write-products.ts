// The statements that write whole products, one for each table, whatever the number of products. Each answers the
// products that it really changed: what is written again as it stands touches no row, raises no version and wakes no
// cache.
import { Type } from 'typebox'
import { json, none, sql, type Tx } from '../../../platform/db.ts'
import { attachAssets } from '../../media/attach-assets.ts'
import { findAssets } from '../../media/find-assets.ts'
import { AssetNotFound } from '../../media/media.ts'
import type { Rows } from './product-document.ts'

const Written = Type.Object({ id: Type.String(), handle: Type.String() })
const Touched = Type.Object({ productId: Type.String() })
type Touched = { productId: string }[]

/**
 * Inserts the products; with `update` also writes over those whose handle is there. Their rows stay locked until the
 * end of `tx`.
 */
export function writeProductRows(
  tx: Tx, products: Rows['products'], { update }: { update: boolean },
): Promise<{ id: string; handle: string }[]> {
  return tx.many(Written, sql`
    insert into catalog.product as present (id, handle, title, description_html, vendor, type, tags, status, tax_class,
      seo_title, seo_description, options, attributes, metadata)
    select id, handle, title, description_html, vendor, type, tags, status, tax_class, seo_title, seo_description,
      options, attributes, metadata
      from jsonb_to_recordset(${json(products)}::jsonb) as given (id uuid, handle text, title text,
        description_html text, vendor text,
        type text, tags text[], status text, tax_class text, seo_title text, seo_description text, options jsonb,
        attributes jsonb, metadata jsonb)
     order by handle
    ${update ? sql`on conflict (handle) do update
      set title = excluded.title, description_html = excluded.description_html,
      vendor = excluded.vendor, type = excluded.type, tags = excluded.tags, status = excluded.status,
      tax_class = excluded.tax_class,
      seo_title = excluded.seo_title, seo_description = excluded.seo_description, options = excluded.options,
      attributes = excluded.attributes, metadata = excluded.metadata
    where (present.title, present.description_html, present.vendor, present.type, present.tags, present.status,
      present.tax_class,
        present.seo_title, present.seo_description, present.options, present.attributes, present.metadata)
      is distinct from (excluded.title, excluded.description_html, excluded.vendor, excluded.type, excluded.tags,
      excluded.status,
        excluded.tax_class, excluded.seo_title, excluded.seo_description, excluded.options, excluded.attributes,
        excluded.metadata)` : none}
    returning id, handle`)
}

/**
 * The pictures, each with its asset where its address leads into the media library. Throws AssetNotFound for a path
 * below /media/ that leads nowhere, unless `lenient`: an import keeps what a product has shown before.
 */
export async function withAssets(
  tx: Tx, images: Rows['images'], { lenient = false } = {},
): Promise<Rows['images']> {
  const assets = await findAssets(tx, images.flatMap(({ url, asset_id: assetId }) => (assetId ? [] : [url])))
  return images.map((image) => {
    const assetId = image.asset_id ?? assets.get(image.url) ?? null
    if (!assetId && !lenient && image.url.startsWith('/media/')) throw AssetNotFound(
      {}, `No picture has the address ${image.url}: upload it, and give the address that the answer names.`)
    return { ...image, asset_id: assetId }
  })
}

const Shown = Type.Object({ productId: Type.String(), assetIds: Type.Array(Type.String()) })

/**
 * Makes the pictures of these products exactly those given, and tells the media library which of its assets are shown.
 * Throws AssetNotFound.
 */
export async function writeImages(tx: Tx, handles: readonly string[], images: Rows['images']): Promise<Touched> {
  const touched = await tx.many(Touched, sql`
    with wanted as materialized (
      select product.id as product_id, given.id, url, asset_id, alt, position
        from jsonb_to_recordset(${json(images)}::jsonb) as given (id uuid, handle text, url text, asset_id uuid,
          alt text, position integer)
        join catalog.product using (handle)),
    gone as (
      delete from catalog.product_image image using catalog.product
       where product.handle = any (${[...handles]}::text[]) and image.product_id = product.id
         and not exists (select from wanted where wanted.product_id = image.product_id and wanted.url = image.url)
      returning image.product_id),
    kept as (
      insert into catalog.product_image as present (id, product_id, url, asset_id, alt, position)
      select id, product_id, url, asset_id, alt, position from wanted
      on conflict (product_id, url) do update
        set asset_id = excluded.asset_id, alt = excluded.alt, position = excluded.position
      where (present.asset_id, present.alt, present.position) is distinct
        from (excluded.asset_id, excluded.alt, excluded.position)
      returning product_id)
    select product_id as "productId" from gone union select product_id from kept`)
  if (touched.length === 0) return touched
  const shown = await tx.many(Shown, sql`
    select product.id as "productId", array_remove(array_agg(asset_id), null) as "assetIds"
      from unnest(${touched.map(({ productId }) => productId)}::uuid[]) as product (id)
      left join catalog.product_image on product_id = product.id
     group by product.id`)
  await attachAssets(tx, shown.map(({ productId, assetIds }) => ({ usedBy: `product:${productId}`, assetIds })))
  return touched
}

const variantColumns = sql`(id uuid, handle text, options jsonb, title text, position integer, sku text, barcode text,
  weight_grams integer, requires_shipping boolean, tax_class text, active boolean, metadata jsonb, image_url text)`

/**
 * A variant whose option was renamed is known by its SKU, so that it keeps its id, stock and prices. Where another
 * variant has the new values already, the values decide.
 */
export function recogniseVariants(tx: Tx, variants: Rows['variants']): Promise<Touched> {
  return tx.many(Touched, sql`
    update catalog.variant set options = given.options
      from jsonb_to_recordset(${json(variants)}::jsonb) as given ${variantColumns} join catalog.product using (handle)
     where variant.product_id = product.id and variant.sku = given.sku and variant.options <> given.options
       and not exists (select from catalog.variant other where other.product_id = product.id
         and other.options = given.options)
    returning variant.product_id as "productId"`)
}

/**
 * Makes the variants of these products those given; others are retired, and give their SKU away when one of those given
 * has it.
 */
export function writeVariants(tx: Tx, variants: Rows['variants']): Promise<Touched> {
  return tx.many(Touched, sql`
    with wanted as materialized (
      select given.*, product.id as product_id, image.id as image_id
        from jsonb_to_recordset(${json(variants)}::jsonb) as given ${variantColumns} join catalog.product using (handle)
        left join catalog.product_image image on image.product_id = product.id and image.url = given.image_url),
    retired as (
      update catalog.variant set active = false, sku = case when sku in (select wanted.sku from wanted) then null
        else sku end
       where product_id in (select wanted.product_id from wanted)
         and (active or sku in (select wanted.sku from wanted))
         and not exists (select from wanted where wanted.product_id = variant.product_id
           and wanted.options = variant.options)
      returning product_id),
    kept as (
      insert into catalog.variant as present (id, product_id, options, title, position, sku, barcode, weight_grams,
        requires_shipping,
        tax_class, active, metadata, image_id)
      select id, product_id, options, title, position, sku, barcode, weight_grams, requires_shipping, tax_class,
        active, metadata, image_id
        from wanted order by sku
      on conflict (product_id, options) do update
        set title = excluded.title, position = excluded.position, sku = excluded.sku,
        barcode = excluded.barcode, weight_grams = excluded.weight_grams,
        requires_shipping = excluded.requires_shipping,
        tax_class = excluded.tax_class, active = excluded.active, metadata = excluded.metadata,
        image_id = excluded.image_id
      where (present.title, present.position, present.sku, present.barcode, present.weight_grams,
        present.requires_shipping,
          present.tax_class, present.active, present.metadata, present.image_id)
        is distinct from (excluded.title, excluded.position, excluded.sku, excluded.barcode, excluded.weight_grams,
          excluded.requires_shipping, excluded.tax_class, excluded.active, excluded.metadata, excluded.image_id)
      returning product_id)
    select product_id as "productId" from retired union select product_id from kept`)
}

/** Makes the categories of these products exactly those given. */
export function writeCategories(tx: Tx, given: Rows['categories']): Promise<Touched> {
  return tx.many(Touched, sql`
    with given as materialized (
      select product.id as product_id, category_ids
        from jsonb_to_recordset(${json(given)}::jsonb) as given (handle text, category_ids uuid[]) join catalog.product
          using (handle)),
    gone as (
      delete from catalog.product_category membership using given
       where membership.product_id = given.product_id and membership.category_id <> all (category_ids)
      returning membership.product_id),
    added as (
      insert into catalog.product_category (product_id, category_id)
      select product_id, unnest(category_ids) from given on conflict do nothing
      returning product_id)
    select product_id as "productId" from gone union select product_id from added`)
}

/** Shows these products in exactly the channels given, from now on; where they are shown already, their dates stay. */
export function writePublications(tx: Tx, given: Rows['publications']): Promise<Touched> {
  return tx.many(Touched, sql`
    with given as materialized (
      select product.id as product_id, channel_ids
        from jsonb_to_recordset(${json(given)}::jsonb) as given (handle text, channel_ids uuid[]) join catalog.product
          using (handle)),
    gone as (
      delete from catalog.publication using given
       where publication.product_id = given.product_id and channel_id <> all (channel_ids)
      returning publication.product_id),
    added as (
      insert into catalog.publication (product_id, channel_id, published_from)
      select product_id, unnest(channel_ids), now() from given on conflict do nothing
      returning product_id)
    select product_id as "productId" from gone union select product_id from added`)
}
