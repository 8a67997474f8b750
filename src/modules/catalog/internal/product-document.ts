// A product as it is about to be written: complete, checked, sanitised, and flattened into one list for each table, so
// that a batch of any size is a fixed number of statements.
import type { Static } from 'typebox'
import { newId } from '../../../platform/id.ts'
import { InvalidValue } from '../../../platform/problem.ts'
import { type ImageInput, type Metadata, type ProductInput, type VariantInput } from '../catalog.ts'
import { checkMatrixSize, checkOptions, fits, keyOf, optionMatrix, titleOf, twice } from '../option-matrix.ts'
import { sanitize } from './sanitize.ts'

export type Identified = ProductInput & { handle: string; id: string }

/**
 * Rows for each table, all of them naming their product by its handle: the id of a product that exists is only known to
 * the database.
 */
export type Rows = ReturnType<typeof rowsOf>

/** Completes the products. `path` is where each stands in the request. Throws InvalidValue. */
export function rowsOf(products: readonly Identified[], path: (index: number) => string) {
  const again = twice(products.map(({ handle }) => handle))
  if (again.length > 0) throw InvalidValue(
    { fields: again.map((index) => ({ path: `${path(index)}/handle`, message: 'is there twice' })) })
  return {
    products: products.map((product, index) => productRow(product, path(index))),
    images: products.flatMap(({ handle, images = [] }, index) => imageRows(handle, images, `${path(index)}/images`)),
    variants: products.flatMap((product, index) => variantRows(product, path(index))),
    categories: products.flatMap(({ handle, categoryIds }) =>
      (categoryIds ? [{ handle, category_ids: categoryIds }] : [])),
    publications: products.flatMap(({ handle, channelIds }) =>
      (channelIds ? [{ handle, channel_ids: channelIds }] : [])),
  }
}

function productRow(product: Identified, path: string) {
  const { options = [], metadata = {} } = product
  checkOptions(options, `${path}/options`)
  checkMetadata(metadata, `${path}/metadata`)
  return {
    id: product.id, handle: product.handle, title: product.title.trim(),
    description_html: sanitize(product.descriptionHtml ?? ''),
    vendor: product.vendor?.trim() ?? '', type: product.type?.trim() ?? '', tags: uniqueTags(product.tags ?? []),
    status: product.status ?? 'draft',
    tax_class: product.taxClass ?? 'standard', seo_title: product.seoTitle ?? '',
    seo_description: product.seoDescription ?? '',
    options, attributes: product.attributes ?? {}, metadata,
  }
}

export function uniqueTags(tags: readonly string[]): string[] {
  return [...new Set(tags.map((tag) => tag.trim()))]
}

/** Metadata is stored with the product and read with it, so it is kept small: 16 KiB as JSON. */
export function checkMetadata(metadata: Static<typeof Metadata>, path: string): void {
  if (JSON.stringify(metadata).length > 16_384) throw InvalidValue(
    { fields: [{ path, message: 'is larger than 16 KiB as JSON' }] })
}

function variantRows({ handle, options = [], variants, images = [] }: Identified, path: string) {
  if (!variants) checkMatrixSize(options, `${path}/options`)
  const given: VariantInput[] = variants ?? optionMatrix(options).map(({ options: values }) => ({ options: values }))
  const urls = new Set(images.map(({ url }) => url))
  const again = new Set(twice(given.map(({ options: values }) => keyOf(values))))
  const fields = given.flatMap((variant, index) => {
    const at = `${path}/variants/${index}`
    if (!fits(options, variant.options)) return [{ path: `${at}/options`,
      message: 'must name each option of the product once, with one of its values' }]
    if (again.has(index)) return [{ path: `${at}/options`, message: 'are those of a variant before it' }]
    if (variant.imageUrl && !urls.has(variant.imageUrl)) return [{ path: `${at}/imageUrl`,
      message: 'is not among the images' }]
    return []
  })
  if (fields.length > 0) throw InvalidValue({ fields: fields.slice(0, 20) })
  return given.map(({ options: values, ...variant }, index) => ({
    id: newId(), handle, options: values, title: titleOf(options, values), position: index + 1,
    sku: variant.sku ?? null,
    barcode: variant.barcode ?? null, weight_grams: variant.weightGrams ?? 0,
    requires_shipping: variant.requiresShipping ?? true,
    tax_class: variant.taxClass ?? null, active: variant.active ?? true, metadata: variant.metadata ?? {},
    image_url: variant.imageUrl ? inAscii(variant.imageUrl) : null,
  }))
}

/** The pictures of one product in order; one that is there twice counts once. Throws InvalidValue. */
export function imageRows(handle: string, images: readonly Static<typeof ImageInput>[], path: string) {
  const urls = images.map(({ url }) => inAscii(url))
  const again = new Set(twice(urls))
  const fields = urls.flatMap((url, index) => (
    url.length > 2_000 ? [{ path: `${path}/${index}/url`, message: 'is longer than 2,000 characters, encoded' }] : []))
  if (fields.length > 0) throw InvalidValue({ fields })
  return images.map(({ assetId = null, alt = '' }, index) => (
    { id: newId(), handle, url: urls[index]!, asset_id: assetId, alt, position: index + 1 }))
    .filter((_, index) => !again.has(index))
}

// An address as it goes over the wire: 'ü' is '%C3%BC', and what was encoded stays so.
function inAscii(url: string): string {
  return url.replace(/[^\x21-\x7e]+/gu, encodeURIComponent)
}
