// Collections over HTTP: edits for staff, the active ones for shoppers, by handle, with redirects from former handles.
import { Type } from 'typebox'
import { answerFromMemory, recall } from '../../platform/answer-from-memory.ts'
import { resultId } from '../../platform/db.ts'
import { Id, Page, PageQuery, route } from '../../platform/http.ts'
import { InvalidCursor, NotFound } from '../../platform/problem.ts'
import { CollectionNotFound, GROUPS_TAG, Handle, HandleTaken, Membership, ProductNotFound } from './catalog.ts'
import {
  changeCollectionProducts, Collection, CollectionInput, CollectionPatch, createCollection, getCollection,
  getCollectionByHandle, listCollections, setCollectionProducts, updateCollection,
} from './collections.ts'

const params = Type.Object({ collectionId: Id })
const tags = ['Collections']
const read = { permission: 'catalog:read' }
const write = { permission: 'catalog:write' }

const getCollections = route({
  method: 'GET', path: '/admin/collections', access: read, tags, summary: 'List collections by title',
  query: Type.Object(PageQuery), response: { 200: Page(Collection) }, problems: [InvalidCursor],
  run: ({ db, query }) => listCollections(db, query),
})

const readCollection = route({
  method: 'GET', path: '/admin/collections/:collectionId', access: read, tags, summary: 'Read a collection',
  params, response: { 200: Collection }, problems: [CollectionNotFound],
  run: ({ db, params: { collectionId } }) => getCollection(db, collectionId),
})

const postCollection = route({
  method: 'POST', path: '/admin/collections', access: write, tags, summary: 'Create a collection',
  body: CollectionInput, response: { 201: Collection }, problems: [HandleTaken],
  async run({ db, context, body }) {
    const id = resultId(context)
    return db.transaction(context, async (tx) => {
      await createCollection(tx, id, body)
      return getCollection(tx, id)
    })
  },
  replay: ({ db, resultId: id }) => getCollection(db, id),
})

const patchCollection = route({
  method: 'PATCH', path: '/admin/collections/:collectionId', access: write, tags,
  summary: 'Change fields of a collection',
  params, body: CollectionPatch, response: { 200: Collection }, problems: [CollectionNotFound, HandleTaken],
  run: ({ db, context, params: { collectionId }, body }) => db.transaction(context, async (tx) => {
    await updateCollection(tx, collectionId, body)
    return getCollection(tx, collectionId)
  }),
})

const putCollectionProducts = route({
  method: 'PUT', path: '/admin/collections/:collectionId/products', access: write, tags,
  summary: 'Set the products of a collection, in order',
  params, body: Type.Object({ productIds: Type.Array(Id, { maxItems: 10_000, uniqueItems: true }) }),
  response: { 200: Collection },
  problems: [CollectionNotFound, ProductNotFound],
  run: ({ db, context, params: { collectionId }, body }) => db.transaction(context, async (tx) => {
    await setCollectionProducts(tx, collectionId, body.productIds)
    return getCollection(tx, collectionId)
  }),
})

const postCollectionProducts = route({
  method: 'POST', path: '/admin/collections/:collectionId/products', access: write, tags,
  summary: 'Add products at the end, or take them out',
  params, body: Membership, response: { 200: Collection }, problems: [CollectionNotFound, ProductNotFound],
  run: ({ db, context, params: { collectionId }, body }) => db.transaction(context, async (tx) => {
    await changeCollectionProducts(tx, collectionId, body)
    return getCollection(tx, collectionId)
  }),
  replay: ({ db, params: { collectionId } }) => getCollection(db, collectionId),
})

export const getStoreCollections = route({
  method: 'GET', path: '/store/collections', access: 'shopper', tags: ['Shop'],
  summary: 'List the collections by title',
  query: Type.Object(PageQuery), response: { 200: Page(Collection), 304: null }, problems: [InvalidCursor], recall,
  run: ({ db, context, query, request }) => answerFromMemory({ db, context, request }, async () =>
    ({ value: await listCollections(db, { ...query, active: true }), tags: [GROUPS_TAG] })),
})

export const getStoreCollection = route({
  method: 'GET', path: '/store/collections/:handle', access: 'shopper', tags: ['Shop'],
  summary: 'Read a collection by its handle',
  description: 'A former handle answers 301 with the present one.',
  params: Type.Object({ handle: Handle }), problems: [NotFound], recall,
  response: { 200: Collection, 301: Type.Object({ handle: Type.String() }), 304: null },
  run: ({ db, context, params: { handle }, request }) => answerFromMemory({ db, context, request }, async () => {
    const found = await getCollectionByHandle(db, handle)
    if (found.kind === 'missing') throw NotFound({}, `There is no collection with the handle ${handle}.`)
    if (found.kind === 'found') return { value: found.collection, tags: [GROUPS_TAG] }
    const location = `/store/collections/${encodeURIComponent(found.handle)}`
    return { value: { handle: found.handle }, tags: [GROUPS_TAG], location }
  }),
})

export const collectionRoutes = [
  getCollections, readCollection, postCollection, patchCollection, putCollectionProducts, postCollectionProducts,
]
