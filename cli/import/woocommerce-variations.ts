// Joins a variable product with its variations. A variation may leave an attribute open ("any size"): a shopper still
// chooses one, so it becomes a variant for each value. What such a variation, or a parent, counts as one stock is dealt
// out evenly over the variants that share it: never more is sold than there is.
import { allocate } from '../../src/platform/money.ts'
import { handleOf, optionsOf, type ImportedVariant, type ImportItem } from './product.ts'

export type Variation = {
  line: number
  position: number
  /** Attribute → value; '' is any value. */
  values: Map<string, string>
  variant: ImportedVariant
  inheritsWeight: boolean
  inheritsTaxClass: boolean
  inheritsStock: boolean
}

type Attribute = { name: string; values: string[] }
type Joined = { options: Attribute[]; variants: ImportedVariant[]; remarks: ImportItem[] }

// More than the catalogue takes; a matrix beyond it is not built.
const MAX_VARIANTS = 2_001

export function joinVariations(
  rows: readonly Variation[], parent: ImportedVariant, attributes: readonly Attribute[],
): Joined {
  const variations = rows.toSorted((a, b) => a.position - b.position || a.line - b.line)
  const names = [
    ...new Set([...attributes.map(({ name }) => name), ...variations.flatMap(({ values }) => [...values.keys()])]),
  ]
    .filter((name) => variations.some(({ values }) => values.has(name)))
  const valuesOf = (name: string): string[] => {
    const listed = attributes.find((attribute) => attribute.name === name)?.values ?? []
    const used = variations.map(({ values }) => values.get(name) ?? '').filter((value) => value !== '')
    return [...new Set([...listed.filter((value) => used.includes(value) || isOpen(name)), ...used])]
  }
  const isOpen = (name: string): boolean => variations.some(({ values }) => !values.get(name))
  const remarks: Joined['remarks'] = []
  const remark = (kind: 'refused' | 'notice', line: number, reason: string, value: string): void => {
    remarks.push({ kind, line, column: '', reason, value })
  }

  const choices = names.map((name) => ({ name, values: valuesOf(name) }))
  const taken = new Map<string, number>()
  // Those that name every value come first: an open variation takes what they leave.
  const named = new Map(variations.map((variation) => [variation, names.every((name) => variation.values.get(name))]))
  for (const variation of variations) {
    if (!named.get(variation)) continue
    const key = JSON.stringify(names.map((name) => variation.values.get(name)))
    if (taken.has(key)) remark(
      'refused', variation.line, `Line ${taken.get(key)} is this variation already`,
      [...variation.values.values()].join(', ')
    )
    else taken.set(key, variation.line)
  }

  const variants: ImportedVariant[] = []
  const inheriting: ImportedVariant[] = []
  for (const variation of variations) {
    const combinations = named.get(variation)
      ? [names.map((name) => variation.values.get(name)!)].filter(
        (combination) => taken.get(JSON.stringify(combination)) === variation.line
      )
      : openCombinations(variation, choices).filter((combination) => claim(taken, combination, variation.line))
    if (!named.get(variation) && combinations.length > 0) {
      remark(
        'notice', variation.line, `Leaves an option open: becomes ${combinations.length} variants`,
        combinations.map((each) => each.join(' / ')).slice(0, 10).join(', ')
      )
    }
    const made = asVariants(variation, parent, names, combinations)
    variants.push(...made)
    if (variation.inheritsStock && parent.quantity !== null) inheriting.push(...made)
    if (variants.length >= MAX_VARIANTS) break
  }
  shareStock(inheriting, parent)
  for (const { line, variant } of variations) {
    if (variant.priceMinor === null) remark(
      'notice', line, 'No price: not for sale until it gets one', variant.sku ?? ''
    )
  }
  return { options: optionsOf(names, variants), variants, remarks }
}

function claim(taken: Map<string, number>, combination: string[], line: number): boolean {
  const key = JSON.stringify(combination)
  if (taken.has(key)) return false
  taken.set(key, line)
  return true
}

/** Every combination that the variation allows; an attribute without any known value keeps the word "Any". */
function openCombinations({ values }: Variation, choices: readonly Attribute[]): string[][] {
  let combinations: string[][] = [[]]
  for (const { name, values: all } of choices) {
    const value = values.get(name)
    const allowed = value ? [value] : all.length > 0 ? all : ['Any']
    combinations = combinations.flatMap(
      (combination) => allowed.map((each) => [...combination, each])
    ).slice(0, MAX_VARIANTS)
  }
  return combinations
}

function asVariants(
  { variant, values, ...inherits }: Variation, parent: ImportedVariant, names: string[], combinations: string[][],
): ImportedVariant[] {
  const stock = variant.quantity === null || combinations.length < 2 ? undefined
    : allocate(variant.quantity, combinations.map(() => 1))
  return combinations.map((combination, index) => {
    // The first keeps the SKU, the others add what tells them apart.
    const open = combination.filter((_, at) => !values.get(names[at]!))
    const sku = variant.sku && index > 0 ? `${variant.sku}-${handleOf(open.join('-'))}`.slice(0, 200) : variant.sku
    return {
      ...variant, sku, barcode: index > 0 ? null : variant.barcode,
      options: Object.fromEntries(names.map((name, at) => [name, combination[at]!])),
      weightGrams: inherits.inheritsWeight ? parent.weightGrams : variant.weightGrams,
      taxClass: inherits.inheritsTaxClass ? parent.taxClass : variant.taxClass,
      quantity: stock?.[index] ?? variant.quantity,
    }
  })
}

function shareStock(variants: ImportedVariant[], parent: ImportedVariant): void {
  if (variants.length === 0 || parent.quantity === null || !parent.tracked) return
  const shares = allocate(parent.quantity, variants.map(() => 1))
  variants.forEach(
    (variant, index) => Object.assign(variant, { tracked: true, quantity: shares[index]!, backorder: parent.backorder })
  )
}
