// Renames an option or its values without touching which variants there are: 'Red' becomes 'Crimson', and its stock,
// prices and past orders stay where they are. Setting the options anew could not know that one word replaced the other.
import { Type, type Static } from 'typebox'
import { json, sql, type Tx } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { InvalidValue, VersionConflict } from '../../platform/problem.ts'
import { announceProducts } from './announce-products.ts'
import { CombinationTaken, Option, Product, ProductNotFound } from './catalog.ts'
import { getProduct } from './get-product.ts'
import { checkOptions } from './option-matrix.ts'
import { lockProduct, versionIn } from './update-product.ts'

export const OptionRenaming = Type.Object({
  option: Option.properties.name,
  name: Type.Optional(Option.properties.name),
  values: Type.Optional(Type.Record(Type.String({ minLength: 1, maxLength: 200 }), Option.properties.name, {
    maxProperties: 1_000, description: 'New words by old ones: {"Red": "Crimson"}',
  })),
})

/**
 * Renames in the product and in all of its variants, retired ones too. Throws ProductNotFound, VersionConflict,
 * InvalidValue (no such option or value, or a word that is there already), CombinationTaken.
 */
export async function renameOption(
  tx: Tx, productId: string, { option, name = option, values = {} }: Static<typeof OptionRenaming>, version?: number,
): Promise<void> {
  const { options } = await lockProduct(tx, productId, version)
  const renamed = options.find((one) => one.name === option)
  if (!renamed) throw InvalidValue({ fields: [{ path: 'body/option', message: 'is not an option of this product' }] })
  const words = new Map(Object.entries(values))
  const unknown = [...words.keys()].filter((value) => !renamed.values.includes(value))
  if (unknown.length > 0) {
    throw InvalidValue({ fields: unknown.map((value) =>
      ({ path: `body/values/${value}`, message: 'is not one of its values' })) })
  }
  const after = options.map((one) => (
    one === renamed ? { name, values: one.values.map((value) => words.get(value) ?? value) } : one))
  checkOptions(after, 'product/options')
  await Promise.all([
    tx.run(sql`update catalog.product set options = ${json(after)}::jsonb where id = ${productId}`),
    tx.run(sql`
      update catalog.variant set options = renamed.options, title = coalesce((
          select string_agg(renamed.options ->> (one ->> 'name'), ' / ' order by place)
            from jsonb_array_elements(${json(after)}::jsonb) with ordinality as ordered (one, place)), '')
        from (select id, options - ${option}::text || jsonb_build_object(${name}::text,
                       coalesce(${json(values)}::jsonb ->> (options ->> ${option}::text),
                       options ->> ${option}::text)) as options
                from catalog.variant where product_id = ${productId} and options ? ${option}::text) as renamed
       where variant.id = renamed.id`),
    announceProducts(tx, [productId]),
  ])
}

export const postOptionName = route({
  method: 'POST', path: '/admin/products/:productId/options/rename', access: { permission: 'catalog:write' },
  tags: ['Catalogue'], summary: 'Rename an option or its values; the variants stay the same',
  params: Type.Object({ productId: Id }), body: OptionRenaming, response: { 200: Product },
  problems: [ProductNotFound, VersionConflict, InvalidValue, CombinationTaken],
  async run({ db, context, params: { productId }, body, headers, reply }) {
    const product = await db.transaction(context, async (tx) => {
      await renameOption(tx, productId, body, versionIn(headers))
      return getProduct(tx, productId)
    })
    reply.header('etag', `"${product.version}"`)
    return product
  },
  replay: ({ db, params: { productId } }) => getProduct(db, productId),
})
