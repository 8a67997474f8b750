// The goods of the demo shop as the catalogue takes them: every combination of options with its price in euros and
// dollars, weight, SKU and barcode, all of it computed from what demo/goods/ says, so the same every time.
import { handleOf } from '../cli/import/product.ts'
import { cabin } from './goods/cabin.ts'
import { deck } from './goods/deck.ts'
import { desk } from './goods/desk.ts'
import { galley } from './goods/galley.ts'
import { pantry } from './goods/pantry.ts'
import type { Department, Good } from './goods/product.ts'
import { wear } from './goods/wear.ts'

export const departments: readonly Department[] = [pantry, galley, deck, wear, desk, cabin]
export const goods: readonly Good[] = departments.flatMap((department) => department.goods)

export type GoodVariant = {
  options: Record<string, string>
  sku: string
  barcode: string
  weightGrams: number
  picture: string
  eurMinor: number
  usdMinor: number
  wasEurMinor: number | null
  wasUsdMinor: number | null
}

/** The colours that a product is painted in: one picture for each. */
export function picturesOf(good: Good): string[] {
  return good.options?.find(({ name }) => name === 'Colour')?.values ?? [good.colour ?? '']
}

export function pictureFile(good: Good, colour: string): string {
  return `${good.handle}${picturesOf(good).length > 1 ? `-${handleOf(colour)}` : ''}.webp`
}

/** Every combination of the options, the last option fastest. */
export function variantsOf(good: Good): GoodVariant[] {
  const number = 100 + goods.indexOf(good)
  let choices: {
    options: Record<string, string>; more: number; heavier: number,
  }[] = [{ options: {}, more: 0, heavier: 0 }]
  for (const { name, values, more = [], heavier = [] } of good.options ?? []) {
    choices = choices.flatMap((choice) => values.map((value, index) => ({
      options: { ...choice.options, [name]: value },
      more: choice.more + (more[index] ?? 0), heavier: choice.heavier + (heavier[index] ?? 0),
    })))
  }
  return choices.map(({ options, more, heavier }, index) => {
    const eurMinor = good.price + more
    const was = good.was ? good.was + more : null
    return {
      options, sku: `NH-${number}-${String(index + 1).padStart(2, '0')}`,
      barcode: ean13(`20${number}${String(index).padStart(7, '0')}`),
      weightGrams: good.grams + heavier, picture: pictureFile(good, options['Colour'] ?? picturesOf(good)[0]!),
      eurMinor, usdMinor: dollars(eurMinor), wasEurMinor: was, wasUsdMinor: was === null ? null : dollars(was),
    }
  })
}

/** A price of its own rather than a rate of the day: a little dearer overseas, and ending as prices there do. */
function dollars(eurMinor: number): number {
  const minor = Math.round(eurMinor * 1.14)
  return minor < 2_000 ? Math.ceil(minor / 50) * 50 - 1 : Math.ceil(minor / 100) * 100 - 100 + 95
}

/** Twelve digits of the range that shops may use inside, with their check digit. */
function ean13(digits: string): string {
  const sum = [...digits].reduce((total, digit, index) => total + Number(digit) * (index % 2 ? 3 : 1), 0)
  return digits + String((10 - sum % 10) % 10)
}
