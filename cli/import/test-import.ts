// A shop with nothing in it, and an import into it: what the tests of imports begin with.
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { getChannel, saveChannel } from '../../src/modules/catalog/channels.ts'
import { addLocation } from '../../src/modules/inventory/locations.ts'
import { systemContext, type Db } from '../../src/platform/db.ts'
import { newId } from '../../src/platform/id.ts'
import { testDatabase, type Cleanup } from '../../src/platform/testing.ts'
import type { ImportItem, OpenFile, ReadOptions, Remark } from './product.ts'
import { saveItems, type Summary } from './save-items.ts'
import type { Market } from './write-products.ts'

export async function emptyShop(t: Cleanup): Promise<{ db: Db; market: Market }> {
  const db = await testDatabase(t)
  const [channelId, locationId] = [newId(), newId()]
  await db.transaction(systemContext(), async (tx) => {
    await saveChannel(tx, channelId, {
      code: 'web', name: 'Web', currencies: ['EUR', 'USD'], defaultCurrency: 'EUR', defaultLocale: 'en', country: 'DE',
      pricesIncludeTax: true,
    })
    await addLocation(tx, locationId, { code: 'main', name: 'Main' })
  })
  return { db, market: { channel: await getChannel(db, channelId), currency: 'EUR', locationId } }
}

type Reader = (open: OpenFile, options: ReadOptions) => AsyncGenerator<ImportItem>

/** Imports a file and tells what was refused. */
export async function importWith(
  { db, market }: { db: Db; market: Market }, read: Reader, open: OpenFile, dryRun = false,
): Promise<Summary & { remarks: Remark[] }> {
  const remarks: Remark[] = []
  const progress = {
    remark: (kind: string, remark: Remark) => void (kind === 'refused' && remarks.push(remark)), saved() {},
  }
  return { ...await saveItems(db, read(open, { currency: 'EUR' }), market, { dryRun, progress }), remarks }
}

export const text = (content: string): OpenFile => () => Readable.from([Buffer.from(content)])
export const file = (path: string): OpenFile => () => createReadStream(path)
