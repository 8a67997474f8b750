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
  const choices = choicesOf(variations, attributes)
  const names = choices.map(({ name }) => name)
  const isNamed = ({ values }: Variation): boolean => names.every((name) => values.get(name))
  const taken = new Map<string, number>()
  const remarks: ImportItem[] = []
  const made = new Map<Variation, ImportedVariant[]>()
  // Those that name every value come first: an open variation takes what they leave.
  for (const variation of [...variations.filter(isNamed), ...variations.filter((each) => !isNamed(each))]) {
    const { line, variant } = variation
    const combinations = combinationsOf(variation, choices).filter((combination) => claim(taken, combination, line))
    const shown = combinations.slice(0, 10).map((each) => each.join(' / ')).join(', ')
    if (combinations.length === 0) {
      const reason = 'Other variations are all that this one could be'
      remarks.push({ kind: 'refused', line, column: '', reason, value: [...variation.values.values()].join(', ') })
    } else if (!isNamed(variation)) {
      const reason = `Leaves an option open: becomes ${combinations.length} variants`
      remarks.push({ kind: 'notice', line, column: '', reason, value: shown })
    }
    if (variant.priceMinor === null) {
      const reason = 'No price: not for sale until it gets one'
      remarks.push({ kind: 'notice', line, column: '', reason, value: variant.sku ?? '' })
    }
    made.set(variation, asVariants(variation, parent, names, combinations))
    if (taken.size >= MAX_VARIANTS) break
  }
  const inheriting = variations.filter(({ inheritsStock }) => inheritsStock).flatMap((each) => made.get(each) ?? [])
  shareStock(inheriting, parent)
  const variants = variations.flatMap((each) => made.get(each) ?? [])
  return { options: optionsOf(names, variants), variants, remarks }
}

/**
 * The attributes that make variations, with their values: those that some variation names, or all where one is open.
 */
function choicesOf(variations: readonly Variation[], attributes: readonly Attribute[]): Attribute[] {
  const listed = new Map(attributes.map(({ name, values }) => [name, values]))
  const names = new Set([...listed.keys(), ...variations.flatMap(({ values }) => [...values.keys()])])
  return [...names].filter((name) => variations.some(({ values }) => values.has(name))).map((name) => {
    const used = variations.map(({ values }) => values.get(name) ?? '')
    const isOpen = used.includes('')
    const known = (listed.get(name) ?? []).filter((value) => isOpen || used.includes(value))
    return { name, values: [...new Set([...known, ...used.filter((value) => value !== '')])] }
  })
}

function claim(taken: Map<string, number>, combination: string[], line: number): boolean {
  const key = JSON.stringify(combination)
  if (taken.has(key)) return false
  taken.set(key, line)
  return true
}

/** Every combination that the variation allows; an attribute without any known value keeps the word "Any". */
function combinationsOf({ values }: Variation, choices: readonly Attribute[]): string[][] {
  let combinations: string[][] = [[]]
  for (const { name, values: all } of choices) {
    const value = values.get(name)
    const allowed = value ? [value] : all.length > 0 ? all : ['Any']
    combinations = combinations.flatMap((combination) => allowed.map((each) => [...combination, each]))
      .slice(0, MAX_VARIANTS)
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
  for (const [index, variant] of variants.entries()) {
    Object.assign(variant, { tracked: true, quantity: shares[index]!, backorder: parent.backorder })
  }
}
