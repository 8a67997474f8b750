// What a start prints: a purchase that works, or none, and never a reason not to start.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { saveChannel } from './modules/catalog/channels.ts'
import { createPublishableKey } from './modules/identity/api-keys.ts'
import { sql, systemContext } from './platform/db.ts'
import { newId } from './platform/id.ts'
import type { RoleName } from './plugin.ts'
import { testShop } from './testing.ts'
import { welcome } from './welcome.ts'

test('the printed purchase is one that works; where none does, the shop starts without', async (t) => {
  const shop = await testShop(t)
  const app = await shop.app()
  const greeting = (roles: readonly RoleName[] = ['store', 'admin']) =>
    welcome({ db: shop.db, app, url: 'http://shop', roles, owner: undefined })
  assert.doesNotMatch(await greeting(), /Publishable key/)
  const { publishable } = await shop.keys()
  const mug = await shop.variant({ stock: [5] })
  const line = /curl -s http:\/\/shop(\S+) .* -d '(.*)'/.exec(await greeting())!
  const bought = await app.inject({
    method: 'POST', url: line[1]!, headers: { 'x-publishable-key': publishable }, payload: JSON.parse(line[2]!),
  })
  assert.equal(bought.statusCode, 201, bought.body)
  assert.deepEqual(await shop.stock(mug), { onHand: 5, reserved: 1 })

  assert.match(await greeting(['store']), /Store API(?!.*Admin API)/s)
  assert.doesNotMatch(await greeting(['admin']), /Store API|curl/)

  // What merchants do all day: a channel that comes first by its name, a newer product without a price.
  const channelId = newId()
  await shop.db.transaction(systemContext(), async (tx) => {
    await saveChannel(tx, channelId, {
      code: 'aaa', name: 'A', currencies: ['USD'], defaultCurrency: 'USD', defaultLocale: 'en', country: 'US',
      pricesIncludeTax: false,
    })
    await createPublishableKey(tx, newId(), { name: 'aaa', channelId })
  })
  await shop.variant({ stock: [5] })
  await shop.db.run(sql`delete from pricing.price where variant_id <> ${mug}`)
  await sleep(2_100)   // so long an answer about stock is kept
  assert.match(await greeting(), /Kontor is ready/)
  await shop.db.run(sql`delete from shipping.method`)
  assert.doesNotMatch(await greeting(), /curl/)
})
