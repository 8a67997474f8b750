// What the tests of the catalogue share: a database with one channel, its routes over HTTP as staff and as shopper, and
// short ways to write.
import { openMemory } from '../../../platform/answer-from-memory.ts'
import { InvalidationFeed } from '../../../platform/cache.ts'
import { systemContext, type Tx } from '../../../platform/db.ts'
import { createApp } from '../../../platform/http.ts'
import { newId } from '../../../platform/id.ts'
import { createLog } from '../../../platform/log.ts'
import { testDatabase, type Cleanup } from '../../../platform/testing.ts'
import { adminRoutes } from '../admin-api.ts'
import type { ChannelInput } from '../catalog.ts'
import { saveChannel } from '../channels.ts'
import { saveProducts, type ProductToSave } from '../save-products.ts'
import { storeRoutes } from '../store-api.ts'

export const web: ChannelInput = {
  code: 'web', name: 'Web', currencies: ['EUR', 'SEK'], defaultCurrency: 'EUR', defaultLocale: 'en-IE', country: 'DE',
  pricesIncludeTax: true,
}

export async function testCatalogue(t: Cleanup) {
  const db = await testDatabase(t)
  const channelId = newId()
  const write = <T>(fn: (tx: Tx) => Promise<T>): Promise<T> => db.transaction(systemContext(), fn)
  await write((tx) => saveChannel(tx, channelId, web))
  const staff = { kind: 'staff' as const, id: newId(), sessionId: newId(), permissions: [] }
  const shopper = { kind: 'shopper' as const, channelId, keyId: newId() }
  const app = await createApp({
    db, routes: [...adminRoutes, ...storeRoutes], log: createLog('silent'),
    authenticate: async (_, access) => (access === 'shopper' ? shopper : staff),
  })
  const feed = new InvalidationFeed(db)
  openMemory(db, feed, { maxBytes: 1_000_000, cdnSeconds: 0 })
  await feed.look()
  t.after(() => app.close())
  const call = async (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, body?: object,
    headers: Record<string, string> = {}) => {
    await feed.look()   // as if the last change were half a second ago
    const answer = await app.inject({ method, url, headers, ...(body ? { payload: body } : {}) })
    return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json(), headers: answer.headers }
  }
  /** Active and published products, by handle. */
  const sell = async (products: ProductToSave[]): Promise<Record<string, string>> => {
    const saved = await write((tx) => saveProducts(tx,
      products.map((product) => ({ status: 'active' as const, channelIds: [channelId], ...product }))))
    return Object.fromEntries(saved.map(({ handle, productId }) => [handle, productId]))
  }
  return { db, channelId, write, call, sell }
}
