// Puts the drawn pictures into the media library and shows them on their products, a few at a time, so that a visitor
// sees them arrive. Each is decoded and encoded anew as any upload, which takes some ten seconds for all: too long
// before a first answer. It may be broken off and run again.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { listChannels } from '../src/modules/catalog/channels.ts'
import { addAsset } from '../src/modules/media/add-asset.ts'
import { systemContext, type Db } from '../src/platform/db.ts'
import { pictureFile, picturesOf } from './goods.ts'
import type { Good } from './goods/product.ts'
import { channel } from './market.ts'
import { saveGoods } from './seed.ts'

const BATCH = 8

export async function loadPictures(db: Db, print: (line: string) => void, goods: readonly Good[]): Promise<void> {
  const shop = (await listChannels(db)).find(({ code }) => code === channel.code)
  if (!shop || goods.length === 0) return
  const began = Date.now()
  print(`Loading the pictures of ${goods.length} demo products`)
  for (let at = 0; at < goods.length; at += BATCH) {
    const batch = goods.slice(at, at + BATCH)
    const pictures = new Map<string, { url: string; assetId: string }>()
    for (const file of batch.flatMap((good) => picturesOf(good).map((colour) => pictureFile(good, colour)))) {
      const bytes = await readFile(join(import.meta.dirname, 'pictures/webp', file))
      const { id, url } = await addAsset(db, systemContext(), { bytes, filename: file })
      pictures.set(file, { url, assetId: id })
    }
    await db.transaction(systemContext(), (tx) => saveGoods(tx, shop.id, batch, pictures))
    print(`  ${String(Math.min(100, Math.floor(100 * (at + BATCH) / goods.length))).padStart(3)} %  pictures`)
  }
  print(`Demo pictures loaded in ${((Date.now() - began) / 1_000).toFixed(1)} s`)
}
