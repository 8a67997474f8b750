// Categories: a tree whose every node knows its path from the root, so that a subtree is one index condition. Whatever
// changes the shape of the tree queues behind a lock on the table (readers and product writes do not notice it): two
// moves that are harmless alone can make a cycle together, and no row lock can see that.
import { Type, type Static } from 'typebox'
import { invalidate } from '../../platform/cache.ts'
import { sql, type Conn, type Tx } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { newId } from '../../platform/id.ts'
import { announceProducts } from './announce-products.ts'
import {
  Category, CategoryChanged, categoryFields, CategoryNotFound, GROUPS_TAG, PRODUCTS_TAG, type Membership,
} from './catalog.ts'
import { handleFrom, rememberHandles } from './handles.ts'
import { sanitize } from './internal/sanitize.ts'

export const CategoryInput = Type.Object(categoryFields)
export type CategoryInput = Static<typeof CategoryInput>
export const CategoryPatch = Type.Partial(CategoryInput)
export type CategoryPatch = Static<typeof CategoryPatch>

const columns = sql`id, parent_id as "parentId", path::text[] as path, handle, name,
  description_html as "descriptionHtml", position, active, version`

/** All categories, parents before children, siblings by position and name. */
export async function listCategories(conn: Conn): Promise<Category[]> {
  return conn.many(Category, sql`select ${columns} from catalog.category
    order by cardinality(path), position, name, id`)
}

/** Throws CategoryNotFound. */
export async function getCategory(conn: Conn, categoryId: string): Promise<Category> {
  const category = await conn.maybe(Category, sql`select ${columns} from catalog.category where id = ${categoryId}`)
  if (!category) throw CategoryNotFound({ categoryId })
  return category
}

/**
 * Creates a category under this id. Throws CategoryNotFound (the parent), HandleTaken, CategoryNameTaken,
 * CategoryTooDeep.
 */
export async function createCategory(tx: Tx, id: string, input: CategoryInput): Promise<void> {
  await lockTree(tx)
  const parent = input.parentId ? await getCategory(tx, input.parentId) : undefined
  const handle = input.handle ?? await freeHandle(tx, input.name, parent?.handle)
  await Promise.all([
    tx.run(sql`
      insert into catalog.category (id, parent_id, path, handle, name, description_html, position, active)
      values (${id}, ${parent?.id ?? null}, ${[...(parent?.path ?? []), id]}::uuid[], ${handle}, ${input.name},
        ${sanitize(input.descriptionHtml ?? '')}, ${input.position ?? 0}, ${input.active ?? true})`),
    announceCategories(tx, [id]),
  ])
}

/**
 * Changes the fields that are given; another parent moves the category with everything below it. Throws
 * CategoryNotFound, CategoryCycle, CategoryTooDeep, CategoryNameTaken, HandleTaken.
 */
export async function updateCategory(tx: Tx, categoryId: string, patch: CategoryPatch): Promise<void> {
  if (patch.parentId !== undefined) await lockTree(tx)
  const before = await getCategory(tx, categoryId)
  const { name, handle, descriptionHtml, position, active, parentId } = patch
  if (parentId !== undefined && parentId !== before.parentId) await move(tx, categoryId, parentId)
  await Promise.all([
    tx.run(sql`
      update catalog.category set name = coalesce(${name}, name), handle = coalesce(${handle}, handle),
        description_html = coalesce(${descriptionHtml === undefined ? undefined : sanitize(descriptionHtml)},
        description_html),
        position = coalesce(${position}, position), active = coalesce(${active}, active), version = version + 1
      where id = ${categoryId}`),
    handle && handle !== before.handle ? rememberHandles(tx, 'category', [{ id: categoryId, handle: before.handle }])
      : undefined,
    announceCategories(tx, [categoryId]),
  ])
}

async function move(tx: Tx, categoryId: string, parentId: string | null): Promise<void> {
  const parent = parentId ? await getCategory(tx, parentId) : undefined
  await tx.run(sql`
    update catalog.category set
      path = ${parent?.path ?? []}::uuid[] || path[array_position(path, ${categoryId}::uuid):],
      parent_id = case when id = ${categoryId} then ${parentId}::uuid else parent_id end
    where path @> array[${categoryId}::uuid]`)
}

/** Deletes a category; its products stay. Throws CategoryNotFound, CategoryInUse. */
export async function deleteCategory(tx: Tx, categoryId: string): Promise<void> {
  await lockTree(tx)
  const deleted = await tx.run(sql`delete from catalog.category where id = ${categoryId}`)
  if (deleted === 0) throw CategoryNotFound({ categoryId })
  await announceCategories(tx, [categoryId])
}

/**
 * Puts products into a category and takes others out. Asked twice it is the same. Throws CategoryNotFound,
 * ProductNotFound.
 */
export async function changeCategoryProducts(
  tx: Tx, categoryId: string, { add = [], remove = [] }: Membership,
): Promise<void> {
  await getCategory(tx, categoryId)
  const touched = await tx.many(Type.Object({ productId: Type.String() }), sql`
    with gone as (
      delete from catalog.product_category where category_id = ${categoryId} and product_id = any (${remove}::uuid[])
        returning product_id),
    added as (
      insert into catalog.product_category (product_id, category_id) select unnest(${add}::uuid[]), ${categoryId}
      on conflict do nothing returning product_id)
    select product_id as "productId" from gone union select product_id from added`)
  await announceProducts(tx, touched.map(({ productId }) => productId))
}

/**
 * The categories at these paths of names (['Clothing', 'Shirts']), created where they are missing: for imports. Answers
 * the id of the last of each path, in order. Asked twice it is the same.
 */
export async function saveCategoryPaths(tx: Tx, paths: readonly (readonly string[])[]): Promise<string[]> {
  const known = new Map((await listCategories(tx))
    .map((category) => [keyOf(category.parentId, category.name), category.id]))
  if (paths.some((path) => lastOf(known, path) === undefined)) {
    await lockTree(tx)
    for (const category of await listCategories(tx)) known.set(keyOf(category.parentId, category.name), category.id)
    for (const path of paths) await createMissing(tx, known, path)
  }
  return paths.map((path) => lastOf(known, path)!)
}

const keyOf = (parentId: string | null, name: string): string => `${parentId ?? ''}/${name}`

function lastOf(known: Map<string, string>, path: readonly string[]): string | undefined {
  return path.reduce<string | null | undefined>((parent, name) =>
    (parent === undefined ? undefined : known.get(keyOf(parent, name))), null) ?? undefined
}

async function createMissing(tx: Tx, known: Map<string, string>, path: readonly string[]): Promise<void> {
  let parentId: string | null = null
  for (const name of path) {
    let id: string | undefined = known.get(keyOf(parentId, name))
    if (!id) {
      id = newId()
      await createCategory(tx, id, { name, parentId })
      known.set(keyOf(parentId, name), id)
    }
    parentId = id
  }
}

async function lockTree(tx: Tx): Promise<void> {
  await tx.run(sql`lock table catalog.category in share row exclusive mode`)
}

// 'shirts', else 'men-shirts', else 'shirts-2' …: under the lock of the tree nobody takes it in between.
async function freeHandle(tx: Tx, name: string, parentHandle: string | undefined): Promise<string> {
  const wanted = handleFrom(name) || 'category'
  const taken = new Set((await tx.many(Type.Object({ handle: Type.String() }), sql`
    select handle from catalog.category where handle like ${'%' + wanted.replace(/[\\_]/g, '\\$&') + '%'}`))
      .map(({ handle }) => handle))
  const candidates = [wanted, ...(parentHandle ? [`${parentHandle}-${wanted}`.slice(0, 200)] : [])]
  for (let number = 2; candidates.length <= taken.size + 2; number++) candidates.push(`${wanted}-${number}`)
  return candidates.find((candidate) => !taken.has(candidate))!
}

async function announceCategories(tx: Tx, categoryIds: string[]): Promise<void> {
  await Promise.all([invalidate(tx, [GROUPS_TAG, PRODUCTS_TAG]), publish(tx, CategoryChanged, { categoryIds })])
}
