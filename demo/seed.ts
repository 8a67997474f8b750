// Fills a new shop with the demo catalogue, in one transaction and through the public functions of the modules, as any
// program of a merchant would. The same everywhere but for ids and keys. Its pictures and its past (history.ts) come
// after the shop answers.
import { createAccount } from '../src/modules/accounts/create-account.ts'
import { refreshOffers } from '../src/modules/browse/refresh-offers.ts'
import { saveChannel, listChannels } from '../src/modules/catalog/channels.ts'
import { saveCategoryPaths } from '../src/modules/catalog/categories.ts'
import { createCollection, setCollectionProducts } from '../src/modules/catalog/collections.ts'
import { saveProducts, type ProductToSave, type SavedProduct } from '../src/modules/catalog/save-products.ts'
import { createPublishableKey, createSecretKey } from '../src/modules/identity/api-keys.ts'
import { hashPassword } from '../src/modules/identity/hash-password.ts'
import { permissions } from '../src/modules/identity/identity.ts'
import { generatePassword, type SignIn } from '../src/modules/identity/issue-password.ts'
import { subjectOf } from '../src/modules/customers/people.ts'
import { addLocation } from '../src/modules/inventory/locations.ts'
import { setStock } from '../src/modules/inventory/set-stock.ts'
import { createCoupon } from '../src/modules/pricing/coupons.ts'
import { savePromotion } from '../src/modules/pricing/promotions.ts'
import { setPrices } from '../src/modules/pricing/set-prices.ts'
import { setTaxRates } from '../src/modules/pricing/tax-rates.ts'
import { saveMethod } from '../src/modules/shipping/methods.ts'
import { saveZone } from '../src/modules/shipping/zones.ts'
import { systemContext, type Db, type Tx } from '../src/platform/db.ts'
import { newId } from '../src/platform/id.ts'
import { departments, goods, pictureFile, picturesOf, variantsOf } from './goods.ts'
import type { Good } from './goods/product.ts'
import * as market from './market.ts'
import { REGULAR } from './people.ts'
import { Random } from './random.ts'

/** What is shown once of a demo shop: its secret key, and how its most regular customer signs in. */
type Shown = { secretKey?: string; customer?: SignIn }

/** Seeds a shop without any channel; another shop is left alone, and has nothing to show. */
export async function seedDemo(
  db: Db, { print = () => {} }: { print?: (line: string) => void } = {},
): Promise<Shown> {
  if ((await listChannels(db)).length > 0) return {}
  const began = Date.now()
  const [password, subject] = [generatePassword(), await subjectOf(db, REGULAR.email)]
  const account = { ...REGULAR, subject, passwordHash: await hashPassword(password), emailProven: true }
  const secretKey = await db.transaction(systemContext(), async (tx) => {
    const channelId = newId()
    await saveChannel(tx, channelId, market.channel)
    await seedMarket(tx)
    const saved = await seedGoods(tx, channelId)
    await seedCollections(tx, saved)
    // The worker would do so when it starts: the first shopper may come before.
    await refreshOffers(tx, saved.map(({ productId }) => productId))
    await createAccount(tx, account)
    await createPublishableKey(tx, newId(), { name: 'Demo shop pages', channelId })
    return createSecretKey(tx, newId(), { name: 'Demo', permissions: Object.keys(permissions) })
  })
  print(`Seeded the demo shop: ${goods.length} products in ${((Date.now() - began) / 1_000).toFixed(1)} s`)
  return { secretKey, customer: { email: REGULAR.email, password } }
}

async function seedMarket(tx: Tx): Promise<void> {
  await setTaxRates(tx, market.taxRates)
  for (const { name, countries, methods } of market.zones) {
    const zoneId = newId()
    await saveZone(tx, zoneId, { name, countries })
    for (const method of methods) await saveMethod(tx, newId(), { ...method, zoneId })
  }
  for (const { code, promotion } of market.promotions) {
    const promotionId = newId()
    await savePromotion(tx, promotionId, promotion)
    if (code) await createCoupon(tx, newId(), promotionId, { code })
  }
}

/** Where the pictures of goods are, by the name of their file. */
type Pictures = ReadonlyMap<string, { url: string; assetId: string }>

/** Writes these goods with those of their pictures that are there. Asked twice it is the same. */
export async function saveGoods(
  tx: Tx, channelId: string, wanted: readonly Good[], pictures: Pictures = new Map(),
): Promise<SavedProduct[]> {
  const departmentOf = (good: Good) => departments.find((department) => department.goods.includes(good))!.name
  const categoryIds = await saveCategoryPaths(tx, wanted.map((good) => [departmentOf(good), good.category]))
  return saveProducts(tx, wanted.map((good, index): ProductToSave => ({
    handle: good.handle, title: good.title, descriptionHtml: `<p>${good.text}</p>`, vendor: good.maker,
    type: good.category, tags: good.tags, status: 'active', taxClass: good.taxClass ?? 'standard',
    channelIds: [channelId],
    categoryIds: [categoryIds[index]!], options: (good.options ?? []).map(({ name, values }) => ({ name, values })),
    images: picturesOf(good).flatMap((colour) => {
      const picture = pictures.get(pictureFile(good, colour))
      return picture ? [{ ...picture, alt: picturesOf(good).length > 1 ? `${good.title}, ${colour}` : good.title }] : []
    }),
    variants: variantsOf(good).map(({ options, sku, barcode, weightGrams, picture }) => ({
      options, sku, barcode, weightGrams, imageUrl: pictures.get(picture)?.url ?? null,
    })),
  })))
}

async function seedGoods(tx: Tx, channelId: string): Promise<SavedProduct[]> {
  const saved = await saveGoods(tx, channelId, goods)
  const variants = saved.flatMap((product, index) => variantsOf(goods[index]!).map((variant) => (
    { ...variant, variantId: product.variants.find(({ sku }) => sku === variant.sku)!.variantId })))
  await setPrices(tx, variants.flatMap(({ variantId, eurMinor, usdMinor, wasEurMinor, wasUsdMinor }) => [
    { variantId, channelId, currency: 'EUR', unitMinor: eurMinor, compareAtMinor: wasEurMinor },
    { variantId, channelId, currency: 'USD', unitMinor: usdMinor, compareAtMinor: wasUsdMinor },
  ]))
  await seedStock(tx, variants.map(({ variantId }) => variantId))
  return saved
}

/** Most is there, a little is nearly gone, a little is sold out: a shop where everything is in stock shows nothing. */
async function seedStock(tx: Tx, variantIds: string[]): Promise<void> {
  const random = new Random(1883)
  const places: Awaited<ReturnType<typeof addLocation>>[] = []
  for (const location of market.locations) places.push(await addLocation(tx, newId(), location))
  await setStock(tx, variantIds.flatMap((variantId) => {
    const fate = random.next()
    return places.map(({ id: locationId, code }) => {
      const full = code === 'hamburg' ? random.whole(18, 90) : random.whole(4, 25)
      return { variantId, locationId, onHand: fate < 0.04 ? 0 : fate < 0.12 ? random.whole(0, 2) : full }
    })
  }), 'opening stock')
}

async function seedCollections(tx: Tx, saved: SavedProduct[]): Promise<void> {
  for (const { tag, ...collection } of market.collections) {
    const id = newId()
    await createCollection(tx, id, collection)
    const members = saved.filter((_, index) => goods[index]!.tags.includes(tag))
    await setCollectionProducts(tx, id, members.map(({ productId }) => productId))
  }
}
