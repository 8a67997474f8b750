// Which product of the shop a row means. A handle in the file decides, also one that the product had before. A format
// that writes none (WooCommerce) is followed by its SKUs, whatever the product is called now, and without SKUs by the
// handle that the name makes. Where that leaves two meanings, nothing is guessed: the row is refused with both ways to
// write it, because a product that is taken for another loses what it was.
import { Type } from 'typebox'
import type { Product } from '../../src/modules/catalog/catalog.ts'
import { getProduct } from '../../src/modules/catalog/get-product.ts'
import { getVariantsBySku } from '../../src/modules/catalog/get-variants.ts'
import { sql, type Tx } from '../../src/platform/db.ts'
import type { ImportedProduct } from './product.ts'

/** The row may mean two products, or one that another row means already. */
export class UnclearProduct extends Error {}

/**
 * For each product the one that it is in the shop, or undefined for a new one. `taken`: products that rows before these
 * were, with their lines. Throws UnclearProduct.
 */
export async function findAgain(
  tx: Tx, products: readonly ImportedProduct[], taken: ReadonlyMap<string, number>,
): Promise<(Product | undefined)[]> {
  const skus = products.filter(({ handleIsMade }) => handleIsMade).flatMap(skusOf)
  const [byHandle, bySku] = await Promise.all([
    idsByHandle(tx, products.map(({ handle }) => handle)), skus.length > 0 ? getVariantsBySku(tx, skus) : [],
  ])
  const idOfSku = new Map(bySku.map(({ sku, productId }) => [sku, productId]))
  const ids = new Set([...byHandle.values(), ...idOfSku.values()])
  const present = new Map((await Promise.all([...ids].map((id) => getProduct(tx, id)))).map((one) => [one.id, one]))
  const lines = new Map(taken)
  return products.map((product) => {
    const named = present.get(byHandle.get(product.handle) ?? '')
    const sold = new Set(product.handleIsMade ? skusOf(product).flatMap((sku) => idOfSku.get(sku) ?? []) : [])
    const found = sold.size > 0 ? present.get(named && sold.has(named.id) ? named.id : [...sold][0]!)! : named
    if (!found) return undefined
    if (product.handleIsMade && found === named) refuseNamesake(product, found)
    if (found !== named) refusePart(product, found)
    const line = lines.get(found.id)
    if (line !== undefined && line !== product.line) throw new UnclearProduct(
      `Line ${line} is the product "${found.handle}" already: keep one of the two rows, or give them different SKUs`)
    lines.set(found.id, product.line)
    return found
  })
}

const skusOf = ({ variants }: Pick<ImportedProduct, 'variants'>): string[] => variants.flatMap(({ sku }) => sku ?? [])

/** Names are alike more easily than products are the same: another SKU may be a correction, or another product. */
function refuseNamesake(product: ImportedProduct, found: Product): void {
  const [given, own] = [skusOf(product), found.variants.flatMap(({ sku }) => sku ?? [])]
  if (given.length === 0 || own.length === 0 || given.some((sku) => own.includes(sku))) return
  throw new UnclearProduct(`The product "${found.handle}" has this name and another SKU (${own[0]}). ` +
    'If it is the same, change its SKU in the shop; if not, change the name, or add a column "Meta: kontor_handle"')
}

/** A row that is one variant of a product would retire the others. */
function refusePart(product: ImportedProduct, found: Product): void {
  const names = (options: readonly { name: string }[]): string => JSON.stringify(options.map(({ name }) => name))
  const given = skusOf(product)
  const others = found.variants.filter(({ active, sku }) => active && !given.includes(sku ?? ''))
  if (names(product.options) === names(found.options) || others.length === 0) return
  throw new UnclearProduct(
    `Its SKU is one variant of "${found.handle}", which has ${others.length} more: give that product as a whole`)
}

const Named = Type.Object({ handle: Type.String(), id: Type.String() })

async function idsByHandle(tx: Tx, handles: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx.many(Named, sql`
    select given.handle, coalesce(product.id, former.target_id) as id
      from unnest(${[...handles]}::text[]) as given (handle)
      left join catalog.product using (handle)
      left join catalog.former_handle former on former.kind = 'product' and former.handle = given.handle
     where coalesce(product.id, former.target_id) is not null`)
  return new Map(rows.map(({ handle, id }) => [handle, id]))
}
