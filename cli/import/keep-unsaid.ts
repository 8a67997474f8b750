// What a file does not say of a product that the shop has already stays as it is: what its format has no words for,
// what its cells leave empty, and the variants whose rows could not be read. Without it, our own export would lose
// something on its way back.
import type { Product } from '../../src/modules/catalog/catalog.ts'
import type { ProductToSave } from '../../src/modules/catalog/save-products.ts'
import type { ImportedProduct } from './product.ts'

/** The same for the same values in any order. */
export const optionsKey = (options: Record<string, string>): string => JSON.stringify(Object.entries(options).sort())

/** The product as it is to be saved, completed from what it is `before`, under the handle that it has there. */
export function keepUnsaid(
  { incomplete }: ImportedProduct, wanted: ProductToSave, before: Product | undefined,
): ProductToSave {
  if (!before) return wanted
  const kept = { ...withWordsOf(before, wanted), handle: before.handle }
  return incomplete ? withVariantsOf(before, kept) : kept
}

type Variant = NonNullable<ProductToSave['variants']>[number]

function withWordsOf(before: Product, product: ProductToSave): ProductToSave {
  const variantOf = new Map(before.variants.map((variant) => [optionsKey(variant.options), variant]))
  return {
    ...product,
    type: product.type || before.type, vendor: product.vendor || before.vendor,
    seoTitle: product.seoTitle || before.seoTitle, seoDescription: product.seoDescription || before.seoDescription,
    taxClass: before.taxClass, metadata: before.metadata,
    categoryIds: product.categoryIds ?? before.categoryIds,
    attributes: { ...before.attributes, ...product.attributes },
    images: product.images?.map((image) => {
      const shown = before.images.find(({ url }) => isSame(url, image.url))
      return shown ? { url: shown.url, assetId: shown.assetId, alt: image.alt || shown.alt } : image
    }),
    variants: product.variants?.map((variant): Variant => {
      const known = variantOf.get(optionsKey(variant.options))
      // A file names each variant's class, we also the product's: one that comes to the same stays where it is said.
      const taxClass = variant.taxClass ?? 'standard'
      const isKept = taxClass === (known?.taxClass ?? before.taxClass)
      return {
        ...variant, taxClass: isKept ? known?.taxClass ?? null : taxClass, metadata: known?.metadata ?? {},
        imageUrl: before.images.find(({ url }) => variant.imageUrl && isSame(url, variant.imageUrl))?.url
          ?? variant.imageUrl,
      }
    }),
  }
}

/** A picture of ours has a path; in a file it stands behind the shop's address. */
const isSame = (own: string, given: string): boolean => own === given || (own.startsWith('/') && given.endsWith(own))

/** A product that the file tells only in part keeps the variants that it has and whose rows could not be read. */
function withVariantsOf(before: Product, product: ProductToSave): ProductToSave {
  const { options = [], variants = [] } = product
  const names = JSON.stringify(options.map(({ name }) => name))
  // Under other options the old variants mean nothing any more.
  if (JSON.stringify(before.options.map(({ name }) => name)) !== names) return product
  const given = new Set(variants.map((variant) => optionsKey(variant.options)))
  const unread = before.variants.filter((variant) => variant.active && !given.has(optionsKey(variant.options)))
  return {
    ...product,
    options: options.map(({ name, values }) => ({
      name, values: [...new Set([...values, ...unread.map((variant) => variant.options[name]!)])],
    })),
    variants: [
      ...variants,
      ...unread.map(({ options: values, sku, barcode, weightGrams, requiresShipping, taxClass }) =>
        ({ options: values, sku, barcode, weightGrams, requiresShipping, taxClass })),
    ],
  }
}
