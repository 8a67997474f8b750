// For tests: a channel in Germany that sells one product in some variants of 500 g, at 10.00 EUR each, tax included,
// and delivers up to 10 kg for 4.90 EUR.
import { systemContext, type Db } from '../../../platform/db.ts'
import { newId } from '../../../platform/id.ts'
import { saveChannel } from '../../catalog/channels.ts'
import { createProduct } from '../../catalog/create-product.ts'
import { getProduct } from '../../catalog/get-product.ts'
import { saveMethod } from '../../shipping/methods.ts'
import { saveZone } from '../../shipping/zones.ts'
import { setPrices } from '../set-prices.ts'
import { setTaxRates } from '../tax-rates.ts'

export async function testCatalogue(db: Db, { variants: count = 2 } = {}) {
  const [channelId, productId, zoneId, methodId] = [newId(), newId(), newId(), newId()]
  return db.transaction(systemContext(), async (tx) => {
    await saveChannel(tx, channelId, {
      code: channelId.slice(-12), name: 'Shop', currencies: ['EUR', 'JPY'], defaultCurrency: 'EUR', defaultLocale: 'de',
      country: 'DE', pricesIncludeTax: true,
    })
    const numbers = Array.from({ length: count }, (_, index) => String(index + 1))
    await createProduct(tx, productId, {
      title: 'Mug', status: 'active', channelIds: [channelId], options: [{ name: 'Number', values: numbers }],
      variants: numbers.map((number) => ({ options: { Number: number }, weightGrams: 500 })),
    })
    const product = await getProduct(tx, productId)
    const variants = product.variants.map((variant) => variant.id)
    const price = { channelId, currency: 'EUR', unitMinor: 1000 }
    await setPrices(tx, variants.map((variantId) => ({ variantId, ...price })))
    await setTaxRates(tx, [{ country: 'DE', taxClass: 'standard', ratePpm: 190_000, name: 'USt' }])
    await saveZone(tx, zoneId, { name: 'Germany', countries: ['DE'] })
    const rates = [{ currency: 'EUR', from: 0, amountMinor: 490 }, { currency: 'EUR', from: 10_000, amountMinor: null }]
    await saveMethod(tx, methodId, { zoneId, code: 'parcel', name: 'Parcel', kind: 'weight', rates })
    return { channelId, productId, variants, methodId }
  })
}
