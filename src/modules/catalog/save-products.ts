// Writes whole products by handle, a batch in a fixed number of statements: for imports, which may run again. What is
// there already in the same words is left alone, so a second run changes nothing and tells nobody.
import { Type } from 'typebox'
import { sql, type Conn, type Tx } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import { announceProducts } from './announce-products.ts'
import { checkAttributes } from './attributes.ts'
import { Handle, type ProductInput } from './catalog.ts'
import { rowsOf } from './internal/product-document.ts'
import {
  recogniseVariants, withAssets, writeCategories, writeImages, writeProductRows, writePublications, writeVariants,
} from './internal/write-products.ts'

export type ProductToSave = ProductInput & { handle: string }
export type SavedProduct =
  { handle: string; productId: string; outcome: 'created' | 'updated' | 'unchanged'; variants: SavedVariant[] }
/** One of its active variants, in order: prices and stock are joined to it by its options or SKU. */
export type SavedVariant = { variantId: string; options: Record<string, string>; sku: string | null }

/**
 * Creates or replaces products by handle; a handle that a product had before finds that product, whatever it is called
 * now. Fields that are left out take their default; variants that are left out are retired, or, with no `variants` at
 * all, follow from the options. At most a few hundred products a call keep the transaction short. Asked twice it is the
 * same. Throws InvalidValue, SkuTaken, CategoryNotFound, ChannelNotFound; then nothing of the batch is written.
 */
export async function saveProducts(tx: Tx, products: readonly ProductToSave[]): Promise<SavedProduct[]> {
  if (products.length === 0) return []
  await checkAttributes(tx, products.map(({ attributes = {} }, index) => ({ attributes, path: `${index}/attributes` })))
  const present = await presentHandles(tx, products.map(({ handle }) => handle))
  const identified = products.map((product) =>
    ({ ...product, handle: present.get(product.handle) ?? product.handle, id: newId() }))
  const { written, touched } = await writeWholeProducts(tx, identified, { update: true })
  const saved = await readSaved(tx, identified.map(({ handle }) => handle))
  const created = new Set(identified.map(({ id }) => id))
  const updated = new Set([...written.map(({ id }) => id), ...touched])
  await announceProducts(tx, [...updated])
  return identified.map(({ handle }, index) => {
    const { productId, variants } = saved.get(handle)!
    const outcome = created.has(productId) ? 'created' : updated.has(productId) ? 'updated' : 'unchanged'
    return { handle: products[index]!.handle, productId, outcome, variants }
  })
}

/**
 * Writes the rows of all tables in one trip, and answers which products they changed. Announcing them is left to the
 * caller.
 */
export async function writeWholeProducts(
  tx: Tx, products: readonly (ProductToSave & { id: string })[], { update }: { update: boolean },
): Promise<{ written: { id: string; handle: string }[]; touched: string[] }> {
  const rows = rowsOf(products, (index) => (update ? `${index}` : 'body'))
  const images = await withAssets(tx, rows.images, { lenient: update })
  const [written, ...touched] = await Promise.all([
    writeProductRows(tx, rows.products, { update }), writeImages(tx, products.map(({ handle }) => handle), images),
    recogniseVariants(tx, rows.variants), writeVariants(tx, rows.variants), writeCategories(tx, rows.categories),
    writePublications(tx, rows.publications),
  ])
  return { written, touched: touched.flat().map(({ productId }) => productId) }
}

async function presentHandles(conn: Conn, handles: readonly string[]): Promise<Map<string, string>> {
  const rows = await conn.many(Type.Object({ former: Type.String(), present: Handle }), sql`
    select former.handle as former, product.handle as present
      from catalog.former_handle former join catalog.product on product.id = former.target_id
     where former.kind = 'product' and former.handle = any (${[...handles]}::text[])
       and not exists (select from catalog.product taken where taken.handle = former.handle)`)
  return new Map(rows.map(({ former, present }) => [former, present]))
}

const Saved = Type.Object({
  handle: Type.String(), productId: Type.String(),
  variants: Type.Array(Type.Object({
    variantId: Type.String(), options: Type.Record(Type.String(), Type.String()),
    sku: Type.Union([Type.String(), Type.Null()]),
  })),
})

async function readSaved(
  conn: Conn, handles: readonly string[],
): Promise<Map<string, { productId: string; variants: SavedVariant[] }>> {
  const rows = await conn.many(Saved, sql`
    select handle, product.id as "productId",
           (select coalesce(jsonb_agg(jsonb_build_object('variantId', id, 'options', options, 'sku', sku)
             order by position), '[]')
              from catalog.variant where product_id = product.id and active) as variants
      from catalog.product
     where handle = any (${[...handles]}::text[])`)
  return new Map(rows.map((row) => [row.handle, row]))
}
