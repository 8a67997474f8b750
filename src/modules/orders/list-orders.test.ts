// The list of orders: each filter narrows it, and its pages together are all of it, newest first.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testShop } from '../../testing.ts'

test('orders are found by state, e-mail, number, channel and time, page by page', async (t) => {
  const shop = await testShop(t)
  const mug = await shop.variant({ stock: [20] })
  const began = new Date().toISOString()
  for (let index = 0; index < 5; index++) {
    await shop.complete(await shop.cart([{ variantId: mug, quantity: 1 }], { email: `buyer${index}@example.com` }))
  }
  const app = await shop.app()
  const { secret } = await shop.keys()
  const list = async (query: string) => {
    const answer = await app.inject({ url: `/admin/orders?${query}`, headers: { authorization: `Bearer ${secret}` } })
    return { status: answer.statusCode, ...answer.json() }
  }
  const numbers = (page: { items: { number: number }[] }) => page.items.map((order) => order.number)

  const all = await list('limit=100')
  assert.equal(all.items.length, 5)
  assert.deepEqual(numbers(all), [...numbers(all)].sort((a, b) => b - a))
  const pages: number[] = []
  for (let cursor = ''; ;) {
    const page = await list(`limit=2${cursor}`)
    pages.push(...numbers(page))
    if (!page.nextCursor) break
    cursor = `&cursor=${page.nextCursor}`
  }
  assert.deepEqual(pages, numbers(all))

  assert.equal((await list('state=placed')).items.length, 5)
  assert.equal((await list('state=lapsed')).items.length, 0)
  assert.deepEqual(numbers(await list(`number=${pages[2]}`)), [pages[2]])
  assert.equal((await list('email=Buyer3@example.com')).items.length, 1)
  assert.equal((await list(`channelId=${shop.channelId}&createdFrom=${began}`)).items.length, 5)
  assert.equal((await list(`createdBefore=${began}`)).items.length, 0)
  assert.equal((await list('cursor=nonsense')).status, 400)
  assert.equal((await list('state=paid')).status, 400)
})
