// The demo shop stands, sells in both currencies, has a past that adds up, and is not seeded twice.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Type } from 'typebox'
import { listChannels } from '../src/modules/catalog/channels.ts'
import { findBroken } from '../src/invariants.ts'
import { isPassword } from '../src/modules/identity/hash-password.ts'
import { diskStorage, mediaStorage } from '../src/modules/media/storage.ts'
import { quote } from '../src/modules/pricing/quote.ts'
import { sql, type Db } from '../src/platform/db.ts'
import { testDatabase } from '../src/platform/testing.ts'
import { goods, pictureFile, picturesOf, variantsOf } from './goods.ts'
import { loadHistory } from './history.ts'
import { seedDemo } from './seed.ts'

test('every product has its pictures', () => {
  const files = new Set(readdirSync(join(import.meta.dirname, 'pictures/webp')))
  const wanted = goods.flatMap((good) => picturesOf(good).map((colour) => pictureFile(good, colour)))
  assert.deepEqual(wanted.filter((file) => !files.has(file)), [], 'run node demo/pictures/render.ts')
  assert.equal(files.size, wanted.length)
})

const Count = Type.Object({ count: Type.Integer() })
const countOf = async (db: Db, statement: Parameters<Db['one']>[1]): Promise<number> => (
  await db.one(Count, statement) as { count: number }
).count

test('the demo shop', async (t) => {
  const db = await testDatabase(t)
  const { secretKey, customer } = await seedDemo(db)
  assert.match(secretKey!, /^sk_/)
  assert.deepEqual(await seedDemo(db), {}, 'a second time it is left alone')

  await t.test('sells every variant in euros and dollars', async () => {
    const [channel] = await listChannels(db)
    const variants = await db.many(Type.Object({ variantId: Type.String() }), sql`
      select variant_id as "variantId" from catalog.sellable_variant where channel_id = ${channel!.id}`)
    assert.equal(variants.length, goods.flatMap(variantsOf).length)
    for (const [currency, country] of [['EUR', 'DE'], ['USD', 'US']] as const) {
      const request = { channelId: channel!.id, currency, country, couponCodes: ['AHOY10'] }
      const quoted = await quote(
        db, { ...request, lines: variants.slice(0, 90).map(({ variantId }) => ({ variantId, quantity: 1 })) }
      )
      assert.ok(quoted.totalMinor > 0 && quoted.discountMinor > 0)
    }
  })

  await t.test('has weeks of orders that add up, once, and pictures', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kontor-media-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    mediaStorage.set(db, diskStorage(folder))
    const today = new Date('2026-06-15T09:00:00Z')
    await loadHistory(db, { today, pictures: goods.slice(0, 2) })
    assert.equal(await countOf(db, sql`select count(*) from catalog.product_image`), 2)
    const orders = await countOf(db, sql`select count(*) from orders.order where state = 'placed'`)
    assert.ok(orders > 500, `${orders} orders`)
    const Regular = Type.Object({ passwordHash: Type.String(), bought: Type.Integer() })
    const { passwordHash, bought } = await db.one(Regular, sql`
      select password_hash as "passwordHash",
        (select count(*)::int from orders.order where lower("order".email) = account.email) as bought
      from accounts.account where email = ${customer!.email} and email_proven_at is not null`)
    assert.ok(await isPassword(customer!.password, passwordHash))
    assert.ok(bought > 5, `${bought} orders of the customer to sign in as`)
    await loadHistory(db, { today })
    assert.equal(await countOf(db, sql`select count(*) from orders.order where state = 'placed'`), orders)
    assert.deepEqual(await findBroken(db), [])
    assert.equal(await countOf(db, sql`
      select count(*) from orders.order o join payments.payment p on p.order_id = o.id
       where p.amount_minor <> o.total_minor or (o.state = 'placed') <> (p.captured_minor = o.total_minor)`), 0)
    assert.equal(await countOf(db, sql`
      select count(*) from orders.order o where o.subtotal_minor <> (
        select sum(subtotal_minor) from orders.line where order_id = o.id)`), 0)
  })
})
