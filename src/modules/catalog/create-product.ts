// Creates one product with its variants: those named, or every combination of its options.
import { resultId, type Tx } from '../../platform/db.ts'
import { route } from '../../platform/http.ts'
import { InvalidValue } from '../../platform/problem.ts'
import { AssetNotFound } from '../media/media.ts'
import { announceProducts } from './announce-products.ts'
import { checkAttributes } from './attributes.ts'
import { CategoryNotFound, ChannelNotFound, HandleTaken, Product, ProductInput, SkuTaken } from './catalog.ts'
import { getProduct } from './get-product.ts'
import { freeProductHandle } from './handles.ts'
import { writeWholeProducts } from './save-products.ts'

/**
 * Writes a product under this id. Without a handle it takes one from its title. Throws HandleTaken, SkuTaken,
 * InvalidValue.
 */
export async function createProduct(tx: Tx, id: string, input: ProductInput): Promise<void> {
  await checkAttributes(tx, [{ attributes: input.attributes ?? {}, path: 'body/attributes' }])
  const handle = input.handle ?? await freeProductHandle(tx, input.title)
  await writeWholeProducts(tx, [{ ...input, handle, id }], { update: false })
  await announceProducts(tx, [id])
}

export const postProduct = route({
  method: 'POST', path: '/admin/products', access: { permission: 'catalog:write' }, tags: ['Catalogue'],
  summary: 'Create a product',
  description: 'Without variants, every combination of the options becomes one. Without a handle, the title gives it.',
  body: ProductInput, bodyLimit: 8_388_608, response: { 201: Product },
  problems: [HandleTaken, SkuTaken, InvalidValue, CategoryNotFound, ChannelNotFound, AssetNotFound],
  async run({ db, context, body, reply }) {
    const id = resultId(context)
    const product = await db.transaction(context, async (tx) => {
      await createProduct(tx, id, body)
      return getProduct(tx, id)
    })
    reply.header('etag', `"${product.version}"`)
    return product
  },
  replay: ({ db, resultId: id }) => getProduct(db, id),
})
