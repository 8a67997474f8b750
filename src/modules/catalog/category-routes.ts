// Categories over HTTP: for staff the whole tree with its edits, for shoppers what is active, by handle, with redirects
// from former handles.
import { Type } from 'typebox'
import { answerFromMemory, recall } from '../../platform/answer-from-memory.ts'
import { resultId, type Conn } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { NotFound } from '../../platform/problem.ts'
import {
  Category, CategoryCycle, CategoryInUse, CategoryNameTaken, CategoryNotFound, CategoryTooDeep, GROUPS_TAG, Handle,
  HandleTaken, Membership, ProductNotFound, PRODUCTS_TAG,
} from './catalog.ts'
import {
  CategoryInput, CategoryPatch, changeCategoryProducts, createCategory, deleteCategory, getCategory, listCategories,
  updateCategory,
} from './categories.ts'
import { shopperChannel } from './channels.ts'
import { formerOwner } from './handles.ts'
import { countCategories } from './search-products.ts'

const params = Type.Object({ categoryId: Id })
const tags = ['Categories']
const read = { permission: 'catalog:read' }
const write = { permission: 'catalog:write' }
const shape = [CategoryNotFound, CategoryNameTaken, CategoryTooDeep, HandleTaken]

const getCategories = route({
  method: 'GET', path: '/admin/categories', access: read, tags, summary: 'List all categories, parents before children',
  response: { 200: Type.Object({ items: Type.Array(Category) }) },
  run: async ({ db }) => ({ items: await listCategories(db) }),
})

const readCategory = route({
  method: 'GET', path: '/admin/categories/:categoryId', access: read, tags, summary: 'Read a category',
  params, response: { 200: Category }, problems: [CategoryNotFound],
  run: ({ db, params: { categoryId } }) => getCategory(db, categoryId),
})

const postCategory = route({
  method: 'POST', path: '/admin/categories', access: write, tags, summary: 'Create a category',
  body: CategoryInput, response: { 201: Category }, problems: shape,
  async run({ db, context, body }) {
    const id = resultId(context)
    return db.transaction(context, async (tx) => {
      await createCategory(tx, id, body)
      return getCategory(tx, id)
    })
  },
  replay: ({ db, resultId: id }) => getCategory(db, id),
})

const patchCategory = route({
  method: 'PATCH', path: '/admin/categories/:categoryId', access: write, tags, summary: 'Change or move a category',
  description: 'Another parentId moves it with everything below it; null makes it a root.',
  params, body: CategoryPatch, response: { 200: Category }, problems: [...shape, CategoryCycle],
  run: ({ db, context, params: { categoryId }, body }) => db.transaction(context, async (tx) => {
    await updateCategory(tx, categoryId, body)
    return getCategory(tx, categoryId)
  }),
})

const removeCategory = route({
  method: 'DELETE', path: '/admin/categories/:categoryId', access: write, tags,
  summary: 'Delete a category without subcategories',
  params, response: { 204: null }, problems: [CategoryNotFound, CategoryInUse],
  run: ({ db, context, params: { categoryId } }) => db.transaction(context, (tx) => deleteCategory(tx, categoryId)),
})

const postCategoryProducts = route({
  method: 'POST', path: '/admin/categories/:categoryId/products', access: write, tags,
  summary: 'Put products into a category, or take them out',
  params, body: Membership, response: { 204: null }, problems: [CategoryNotFound, ProductNotFound],
  run: ({ db, context, params: { categoryId }, body }) =>
    db.transaction(context, (tx) => changeCategoryProducts(tx, categoryId, body)),
  replay: async () => undefined,
})

export const StoreCategory = Type.Object({
  id: Id, parentId: Category.properties.parentId, path: Type.Array(Id), handle: Type.String(), name: Type.String(),
  descriptionHtml: Type.String(),
  productCount: Type.Optional(Type.Integer({ description: 'Products shown in it and below it' })),
})

/** The categories that shoppers see: active, and so is every one above them. */
async function storeCategories(conn: Conn): Promise<Type.Static<typeof StoreCategory>[]> {
  const all = await listCategories(conn)
  const active = new Set(all.filter((category) => category.active).map(({ id }) => id))
  return all.filter(({ path }) => path.every((id) => active.has(id)))
    .map(({ position, active: _, version, ...category }) => category)
}

export const getStoreCategories = route({
  method: 'GET', path: '/store/categories', access: 'shopper', tags: ['Shop'],
  summary: 'List the categories, parents before children',
  query: Type.Object({ counts: Type.Optional(Type.Boolean({ description: 'Also how many products each holds' })) }),
  response: { 200: Type.Object({ items: Type.Array(StoreCategory) }), 304: null }, recall,
  run: ({ db, context, query, request }) => answerFromMemory({ db, context, request }, async () => {
    const [items, counts] = await Promise.all(
      [storeCategories(db), query.counts ? countCategories(db, shopperChannel(context.actor)) : undefined])
    if (!counts) return { value: { items }, tags: [GROUPS_TAG] }
    const countOf = new Map(counts.map(({ categoryId, count }) => [categoryId, count]))
    const counted = items.map((category) => ({ ...category, productCount: countOf.get(category.id) ?? 0 }))
    return { value: { items: counted }, tags: [GROUPS_TAG, PRODUCTS_TAG] }
  }),
})

export const getStoreCategory = route({
  method: 'GET', path: '/store/categories/:handle', access: 'shopper', tags: ['Shop'],
  summary: 'Read a category by its handle',
  description: 'A former handle answers 301 with the present one.',
  params: Type.Object({ handle: Handle }),
  response: { 200: StoreCategory, 301: Type.Object({ handle: Type.String() }), 304: null }, problems: [NotFound],
  recall,
  run: ({ db, context, params: { handle }, request }) => answerFromMemory({ db, context, request }, async () => {
    const categories = await storeCategories(db)
    const category = categories.find((one) => one.handle === handle)
    if (category) return { value: category, tags: [GROUPS_TAG] }
    const owner = await formerOwner(db, 'category', handle)
    const moved = categories.find(({ id }) => id === owner)
    if (!moved) throw NotFound({}, `There is no category with the handle ${handle}.`)
    const location = `/store/categories/${encodeURIComponent(moved.handle)}`
    return { value: { handle: moved.handle }, tags: [GROUPS_TAG], location }
  }),
})

export const categoryRoutes = [
  getCategories, readCategory, postCategory, patchCategory, removeCategory, postCategoryProducts,
]
