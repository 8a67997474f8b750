// The words of the catalogue: what a product, variant, category, collection and channel look like on the wire, what may
// be wrong with a request about them, and the events that tell when they change. No I/O.
import { Type, type Static, type TSchema } from 'typebox'
import { mapConstraint } from '../../platform/db.ts'
import { event } from '../../platform/events.ts'
import { Id, OneLine, Timestamp } from '../../platform/http.ts'
import { Currency } from '../../platform/money.ts'
import { problem } from '../../platform/problem.ts'

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const text = (maxLength: number) => Type.String({ maxLength })

/**
 * Limits that people meet. 5,000 combinations are more than any real product has, and one statement still writes them
 * in a second.
 */
export const MAX_VARIANTS = 5_000
const MAX_OPTIONS = 8
const MAX_VALUES = 1_000

export const Handle = Type.String({
  minLength: 1, maxLength: 200, pattern: '^[^\\s/?#%\\p{Changes_When_Lowercased}]+$',
  description: 'The name in an address: no capitals, no spaces, none of / ? # %',
})
export const TaxClass = Type.String(
  { minLength: 1, maxLength: 60, description: 'standard, reduced, zero, or a code of your own' })
export const ProductStatus = Type.Enum(['draft', 'active', 'archived'])
export const Option = Type.Object({
  name: OneLine(100), values: Type.Array(OneLine(200), { minItems: 1, maxItems: MAX_VALUES }),
})
export type Option = Static<typeof Option>
export const Options = Type.Array(Option, { maxItems: MAX_OPTIONS })
export const OptionValues = Type.Record(Type.String({ minLength: 1, maxLength: 100 }), OneLine(200), {
  maxProperties: MAX_OPTIONS, description: 'One value for each option: {"Colour": "Red"}',
})
export type OptionValues = Static<typeof OptionValues>
export const AttributeValue = Type.Union([text(2_000), Type.Number(), Type.Boolean()])
export const Attributes = Type.Record(Type.String({ minLength: 1, maxLength: 60 }), AttributeValue,
  { maxProperties: 100 })
export type Attributes = Static<typeof Attributes>
export const Metadata = Type.Record(Type.String({ minLength: 1, maxLength: 60 }), Type.Unknown(), {
  maxProperties: 50, description: 'Yours: stored and given back, never read',
})

/** A picture as it is given: an asset of the media library, or an address elsewhere. */
export const ImageInput = Type.Object({
  url: Type.String({ minLength: 1, maxLength: 2_000, pattern: '^(https?://|/)' }),
  assetId: Type.Optional(nullable(Id)), alt: Type.Optional(text(500)),
})
export const Image = Type.Object({
  id: Id, url: Type.String(), assetId: nullable(Id), alt: Type.String(),
})

const variantFields = {
  sku: Type.Optional(nullable(OneLine(200))),
  barcode: Type.Optional(nullable(OneLine(100))),
  weightGrams: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 })),
  requiresShipping: Type.Optional(Type.Boolean()),
  taxClass: Type.Optional(nullable(TaxClass)),
  active: Type.Optional(Type.Boolean()),
  metadata: Type.Optional(Metadata),
}
export const VariantInput = Type.Object({
  options: OptionValues, ...variantFields,
  imageUrl: Type.Optional(nullable(Type.String(
    { maxLength: 2_000, description: 'The url of one of the images of the product' }))),
})
export type VariantInput = Static<typeof VariantInput>
export const VariantPatch = Type.Object({ id: Id, ...variantFields, imageId: Type.Optional(nullable(Id)) })

export const Variant = Type.Object({
  id: Id, title: Type.String({ description: 'Red / M; empty for a product without options' }), options: OptionValues,
  sku: nullable(Type.String()),
  barcode: nullable(Type.String()), weightGrams: Type.Integer(), requiresShipping: Type.Boolean(),
  taxClass: nullable(Type.String({ description: 'null: that of the product' })), imageId: nullable(Id),
  active: Type.Boolean(), metadata: Metadata,
})

/** What a product says of itself; all of it may be left out but the title. */
export const productFields = {
  descriptionHtml: Type.Optional(Type.String({ maxLength: 100_000, description: 'Sanitised when it is stored' })),
  vendor: Type.Optional(text(200)),
  type: Type.Optional(text(200)),
  tags: Type.Optional(Type.Array(OneLine(200), { maxItems: 250 })),
  status: Type.Optional(ProductStatus),
  taxClass: Type.Optional(TaxClass),
  seoTitle: Type.Optional(text(300)),
  seoDescription: Type.Optional(text(1_000)),
  attributes: Type.Optional(Attributes),
  metadata: Type.Optional(Metadata),
}
export const Title = OneLine(300)

/**
 * A whole product. Without `variants` it has every combination of its options; without `categoryIds` or `channelIds`
 * those stay as they are.
 */
export const ProductInput = Type.Object({
  handle: Type.Optional(Handle), title: Title, ...productFields,
  options: Type.Optional(Options),
  variants: Type.Optional(Type.Array(VariantInput, { minItems: 1, maxItems: MAX_VARIANTS })),
  images: Type.Optional(Type.Array(ImageInput, { maxItems: 250 })),
  categoryIds: Type.Optional(Type.Array(Id, { maxItems: 100, uniqueItems: true })),
  channelIds: Type.Optional(Type.Array(Id,
    { maxItems: 100, uniqueItems: true, description: 'Where it is published from now on' })),
})
export type ProductInput = Static<typeof ProductInput>

export const Publication = Type.Object({ channelId: Id, publishedFrom: Timestamp, publishedUntil: nullable(Timestamp) })
const productSummary = {
  id: Id, handle: Type.String(), title: Type.String(), vendor: Type.String(), type: Type.String(),
  tags: Type.Array(Type.String()),
  status: ProductStatus, imageUrl: nullable(Type.String()), version: Type.Integer(), createdAt: Timestamp,
  updatedAt: Timestamp,
}
export const ProductSummary = Type.Object({ ...productSummary, variantCount: Type.Integer() })
export const Product = Type.Object({
  ...productSummary, descriptionHtml: Type.String(), taxClass: Type.String(), seoTitle: Type.String(),
  seoDescription: Type.String(),
  options: Options, attributes: Attributes, metadata: Metadata, images: Type.Array(Image),
  variants: Type.Array(Variant),
  categoryIds: Type.Array(Id), collectionIds: Type.Array(Id), publications: Type.Array(Publication),
})
export type Product = Static<typeof Product>

export const Country = Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1 alpha-2' })
export const ChannelInput = Type.Object({
  code: Type.String({ maxLength: 60, pattern: '^[a-z0-9]+(-[a-z0-9]+)*$' }), name: OneLine(200),
  currencies: Type.Array(Currency, { minItems: 1, maxItems: 50, uniqueItems: true }), defaultCurrency: Currency,
  defaultLocale: Type.String({ pattern: '^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$', maxLength: 35 }), country: Country,
  pricesIncludeTax: Type.Boolean(), active: Type.Optional(Type.Boolean()),
})
export type ChannelInput = Static<typeof ChannelInput>
export const Channel = Type.Object(
  { id: Id, ...ChannelInput.properties, active: Type.Boolean(), version: Type.Integer() })
export type Channel = Static<typeof Channel>

export const ProductNotFound = problem('product-not-found', 404, 'No such product',
  Type.Object({ productId: Type.String() }))
export const VariantNotFound = problem('variant-not-found', 404, 'No such variant of this product',
  Type.Object({ variantIds: Type.Array(Type.String()) }))
export const ChannelNotFound = problem('channel-not-found', 404, 'No such channel',
  Type.Object({ channelId: Type.String() }))
export const CategoryNotFound = problem('category-not-found', 404, 'No such category',
  Type.Object({ categoryId: Type.String() }))
export const CollectionNotFound = problem('collection-not-found', 404, 'No such collection',
  Type.Object({ collectionId: Type.String() }))
export const ImageNotFound = problem('image-not-found', 422, 'The picture is not one of this product')
export const HandleTaken = problem('handle-taken', 409, 'The handle is taken', Type.Object({ handle: Type.String() }))
export const SkuTaken = problem('sku-taken', 409, 'The SKU belongs to another variant',
  Type.Object({ sku: Type.String() }))
export const CombinationTaken = problem('combination-taken', 409, 'A variant with these option values exists')
export const ChannelCodeTaken = problem('channel-code-taken', 409, 'A channel with this code exists',
  Type.Object({ code: Type.String() }))
export const CategoryNameTaken = problem('category-name-taken', 409,
  'A category with this name exists in the same place')
export const CategoryCycle = problem('category-cycle', 409, 'A category cannot lie below itself')
export const CategoryTooDeep = problem('category-too-deep', 409, 'Categories go 16 levels deep')
export const CategoryInUse = problem('category-in-use', 409, 'The category has categories below it')

// 'Key (sku)=(A-1) already exists.' → 'A-1'
const keyOf = ({ detail }: { detail: string }): string =>
  /\)=\((.*)\) (?:already exists|is not present)/s.exec(detail)?.[1] ?? ''
for (const kind of ['product', 'category', 'collection']) {
  mapConstraint(`${kind}_handle_unique`,
    (row) => HandleTaken({ handle: keyOf(row) }, 'Choose another handle: one address leads to one thing.'))
}
mapConstraint('variant_sku_unique',
  (row) => SkuTaken({ sku: keyOf(row) },
    `Another variant has the SKU ${keyOf(row)}: a SKU names one variant in the whole shop.`))
mapConstraint('variant_combination_once',
  () => CombinationTaken({}, 'A retired variant may have them: choose other words.'))
mapConstraint('variant_image_of_product', () => ImageNotFound({}, 'Give the variant a picture that its product has.'))
mapConstraint('channel_code_unique', (row) => ChannelCodeTaken({ code: keyOf(row) }))
mapConstraint('publication_in_channel', (row) => ChannelNotFound({ channelId: keyOf(row) }))
mapConstraint('publication_of_product', (row) => ProductNotFound({ productId: keyOf(row) }))
mapConstraint('product_category_product_id_fkey', (row) => ProductNotFound({ productId: keyOf(row) }))
mapConstraint('product_category_exists', (row) => CategoryNotFound({ categoryId: keyOf(row) }))
mapConstraint('category_parent_exists', () => CategoryInUse({}, 'Move or delete the categories below it first.'))
mapConstraint('collection_product_exists', (row) => ProductNotFound({ productId: keyOf(row) }))
mapConstraint('category_name_once', () => CategoryNameTaken({}))
mapConstraint('category_depth', () => CategoryTooDeep({}))
mapConstraint('category_path_ends_here',
  () => CategoryCycle({}, 'Move it elsewhere first: its new place lies below it.'))

/** A category as staff and shoppers see it; `path` runs from the root to itself. */
export const Category = Type.Object({
  id: Id, parentId: nullable(Id), path: Type.Array(Id), handle: Type.String(), name: Type.String(),
  descriptionHtml: Type.String(),
  position: Type.Integer(), active: Type.Boolean(), version: Type.Integer(),
})
export type Category = Static<typeof Category>
export const categoryFields = {
  name: OneLine(200), handle: Type.Optional(Handle), parentId: Type.Optional(nullable(Id)),
  descriptionHtml: Type.Optional(text(100_000)),
  position: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })), active: Type.Optional(Type.Boolean()),
}

/** Products that join or leave a category or collection. */
export const Membership = Type.Object({
  add: Type.Optional(Type.Array(Id, { maxItems: 1_000, uniqueItems: true })),
  remove: Type.Optional(Type.Array(Id, { maxItems: 1_000, uniqueItems: true })),
})
export type Membership = Static<typeof Membership>

/** Products were created, changed, or appear or disappear somewhere. One event for a batch. */
export const ProductChanged = event('catalog.product-changed', Type.Object({ productIds: Type.Array(Id) }))
export const CategoryChanged = event('catalog.category-changed', Type.Object({ categoryIds: Type.Array(Id) }))
export const CollectionChanged = event('catalog.collection-changed', Type.Object({ collectionIds: Type.Array(Id) }))
export const ChannelChanged = event('catalog.channel-changed', Type.Object({ channelId: Id }))

/** Tags of cached answers: one product, every list of products, the categories and collections, one channel. */
export const productTag = (productId: string): string => `product:${productId}`
export const PRODUCTS_TAG = 'catalog.products'
export const GROUPS_TAG = 'catalog.groups'
export const channelTag = (channelId: string): string => `channel:${channelId}`
