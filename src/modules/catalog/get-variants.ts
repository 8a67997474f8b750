// Variants for other modules and for scanners: by id, SKU or barcode, whether they are sold or not.
import { Type, type Static } from 'typebox'
import { sql, type Conn, type Statement } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { nullable, OptionValues } from './catalog.ts'

export const FoundVariant = Type.Object({
  id: Id, productId: Id, productHandle: Type.String(), productTitle: Type.String(), title: Type.String(),
  options: OptionValues,
  sku: nullable(Type.String()), barcode: nullable(Type.String()), weightGrams: Type.Integer(),
  requiresShipping: Type.Boolean(),
  taxClass: Type.String(), active: Type.Boolean(
    { description: 'It and its product are for sale in some channel, sometime' }),
  imageUrl: nullable(Type.String()),
})
export type FoundVariant = Static<typeof FoundVariant>

/** The variants that exist among these ids, in no particular order. */
export function getVariants(conn: Conn, variantIds: readonly string[]): Promise<FoundVariant[]> {
  return find(conn, sql`variant.id = any (${[...variantIds]}::uuid[])`)
}

/** The variants that have one of these SKUs. A SKU names at most one. */
export function getVariantsBySku(conn: Conn, skus: readonly string[]): Promise<FoundVariant[]> {
  return find(conn, sql`variant.sku = any (${[...skus]}::text[])`)
}

/** The variants with this barcode: several, when two products carry the same. */
export function getVariantsByBarcode(conn: Conn, barcode: string): Promise<FoundVariant[]> {
  return find(conn, sql`variant.barcode = ${barcode}`)
}

function find(conn: Conn, condition: Statement): Promise<FoundVariant[]> {
  return conn.many(FoundVariant, sql`
    select variant.id, product.id as "productId", product.handle as "productHandle", product.title as "productTitle",
      variant.title,
           variant.options, sku, barcode, weight_grams as "weightGrams", requires_shipping as "requiresShipping",
           coalesce(variant.tax_class, product.tax_class) as "taxClass", variant.active
             and product.status = 'active' as active,
           (select url from catalog.product_image where product_id = product.id
             order by id = variant.image_id desc nulls last, position limit 1) as "imageUrl"
      from catalog.variant join catalog.product on product.id = variant.product_id
     where ${condition}
     order by product.title, variant.position
     limit 5000`)
}

export const findVariants = route({
  method: 'GET', path: '/admin/variants', access: { permission: 'catalog:read' }, tags: ['Catalogue'],
  summary: 'Find variants by SKU, barcode or id',
  description: 'Exactly what a scanner read or a list names; give one of the three.',
  query: Type.Object({
    sku: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 100 })),
    barcode: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    id: Type.Optional(Type.Array(Id, { maxItems: 100 })),
  }),
  response: { 200: Type.Object({ items: Type.Array(FoundVariant) }) },
  async run({ db, query: { sku, barcode, id = [] } }) {
    return { items: sku ? await getVariantsBySku(db, sku) : barcode ? await getVariantsByBarcode(db, barcode)
      : await getVariants(db, id) }
  },
})
