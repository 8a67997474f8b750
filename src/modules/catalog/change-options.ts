// Gives a product other options, and with them its variants: every combination there is. Variants that can keep their
// place keep their id, and with it stock, prices and history; see planVariants for which they are.
import { Type } from 'typebox'
import { json, sql, type Tx } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { newId } from '../../platform/id.ts'
import { InvalidValue, VersionConflict } from '../../platform/problem.ts'
import { announceProducts } from './announce-products.ts'
import { Options, OptionValues, Product, ProductNotFound, type Option } from './catalog.ts'
import { getProduct } from './get-product.ts'
import { checkMatrixSize, checkOptions, planVariants } from './option-matrix.ts'
import { lockProduct, versionIn } from './update-product.ts'

const Existing = Type.Object({
  id: Id, options: OptionValues, title: Type.String(), position: Type.Integer(), active: Type.Boolean(),
})

/**
 * Sets the options and generates the variants, 5,000 at most, in one statement. Two changes at once follow each other,
 * because the product's row is locked; asked twice it is the same. Throws ProductNotFound, VersionConflict,
 * InvalidValue.
 */
export async function changeOptions(
  tx: Tx, productId: string, options: readonly Option[], version?: number,
): Promise<void> {
  checkOptions(options, 'body/options')
  checkMatrixSize(options, 'body/options')
  const before = await lockProduct(tx, productId, version)
  const existing = await tx.many(Existing, sql`
    select id, options, title, position, active from catalog.variant where product_id = ${productId}`)
  const planned = planVariants(existing, before.options, options)
    .map((variant) => ({ ...variant, id: variant.id ?? newId() }))
  await Promise.all([
    tx.run(sql`update catalog.product set options = ${json(options)}::jsonb where id = ${productId}`),
    tx.run(sql`
      insert into catalog.variant as present (id, product_id, options, title, position, active)
      select id, ${productId}, options, title, position, active
        from jsonb_to_recordset(${json(planned)}::jsonb) as planned (id uuid, options jsonb, title text,
          position integer, active boolean)
      on conflict (id) do update set options = excluded.options, title = excluded.title, position = excluded.position,
        active = excluded.active
      where (present.options, present.title, present.position, present.active)
        is distinct from (excluded.options, excluded.title, excluded.position, excluded.active)`),
    announceProducts(tx, [productId]),
  ])
}

export const putOptions = route({
  method: 'PUT', path: '/admin/products/:productId/options', access: { permission: 'catalog:write' },
  tags: ['Catalogue'],
  summary: 'Set the options of a product and generate its variants',
  description: 'Variants are kept by their option values; a new option gives its first. What fits no more is retired.',
  params: Type.Object({ productId: Id }), body: Type.Object({ options: Options }), response: { 200: Product },
  problems: [ProductNotFound, VersionConflict, InvalidValue],
  async run({ db, context, params: { productId }, body, headers, reply }) {
    const product = await db.transaction(context, async (tx) => {
      await changeOptions(tx, productId, body.options, versionIn(headers))
      return getProduct(tx, productId)
    })
    reply.header('etag', `"${product.version}"`)
    return product
  },
})
