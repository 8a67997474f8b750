// Options and the variants that follow from them, as arithmetic: which combinations there are, and which existing
// variant each of them is when options change. A variant carries stock, prices and past orders, so it is kept wherever
// its option values can be.
import { InvalidValue } from '../../platform/problem.ts'
import { MAX_VARIANTS, type Option, type OptionValues } from './catalog.ts'

export type Combination = { options: OptionValues; title: string }
export type PlannedVariant = Combination & { id: string | undefined; position: number; active: boolean }
export type ExistingVariant = Combination & { id: string; position: number; active: boolean }

/** Every combination, the last option changing fastest. No options make the one empty combination. */
export function optionMatrix(options: readonly Option[]): Combination[] {
  return options.reduce<OptionValues[]>(
    (all, { name, values }) => all.flatMap((before) => values.map((value) => ({ ...before, [name]: value }))), [{}],
  ).map((values) => ({ options: values, title: titleOf(options, values) }))
}

/** 'Red / M', in the order of the options. */
export function titleOf(options: readonly Option[], values: OptionValues): string {
  return options.map(({ name }) => values[name]).join(' / ')
}

/** One text for one combination, whatever the order of its keys. */
export function keyOf(values: OptionValues): string {
  return JSON.stringify(Object.keys(values).sort().map((name) => [name, values[name]]))
}

/** Whether the values name every option once, each with one of its values. */
export function fits(options: readonly Option[], values: OptionValues): boolean {
  return Object.keys(values).length === options.length &&
    options.every(({ name, values: allowed }) => allowed.includes(values[name]!))
}

/**
 * The variants after a change of options: every combination, then the variants that it retires. A combination is, in
 * this order: the variant that has it already; the first active one that comes to it when dropped options are forgotten
 * and a new option takes its first value; a new one (`id` undefined). A retired variant that fits again is sold again,
 * one that the merchant had switched off stays off.
 */
export function planVariants(
  existing: readonly ExistingVariant[], before: readonly Option[], after: readonly Option[],
): PlannedVariant[] {
  const matrix = optionMatrix(after)
  const inOrder = [...existing].sort((a, b) => a.position - b.position)
  const holder = new Map<string, ExistingVariant>()
  const wanted = new Set(matrix.map(({ options }) => keyOf(options)))
  for (const variant of inOrder) if (wanted.has(keyOf(variant.options))) holder.set(keyOf(variant.options), variant)
  const settled = new Set([...holder.values()].map(({ id }) => id))
  for (const variant of inOrder.filter(({ id, active }) => active && !settled.has(id))) {
    // An option may be named as something that every object inherits, like toString.
    const values = Object.fromEntries(after.map(({ name, values: [first] }) => (
      [name, Object.hasOwn(variant.options, name) ? variant.options[name]! : first!])))
    const key = keyOf(values)
    if (!wanted.has(key) || holder.has(key)) continue
    holder.set(key, variant)
    settled.add(variant.id)
  }
  const planned = matrix.map(({ options, title }, index): PlannedVariant => {
    const variant = holder.get(keyOf(options))
    const switchedOff = variant !== undefined && !variant.active && fits(before, variant.options)
    return { id: variant?.id, options, title, position: index + 1, active: !switchedOff }
  })
  const retired = inOrder.filter(({ id, active }) => active && !settled.has(id))
    .map((variant) => ({ ...variant, active: false }))
  return [...planned, ...retired]
}

// A combination is a key of an index, and PostgreSQL's take 2,704 bytes; JSON's punctuation needs some of them.
const MAX_COMBINATION_BYTES = 2_400

/**
 * Throws InvalidValue when an option or a value is there twice, or the longest values are too long together. `path`:
 * where in the request they stand.
 */
export function checkOptions(options: readonly Option[], path: string): void {
  const fields = [
    ...twice(options.map(({ name }) => name))
      .map((index) => ({ path: `${path}/${index}/name`, message: 'is the name of an option before it' })),
    ...options.flatMap(({ values }, option) => twice(values).map((index) => (
      { path: `${path}/${option}/values/${index}`, message: 'is there twice' }))),
  ]
  const longest = options.flatMap(({ name, values }) => [name, ...[...values].sort(byBytes).slice(-1)])
  if (Buffer.byteLength(longest.join('')) > MAX_COMBINATION_BYTES) {
    fields.push({ path, message: `are too long: names and longest
      values together take ${MAX_COMBINATION_BYTES} bytes` })
  }
  if (fields.length > 0) throw InvalidValue({ fields })
}

const byBytes = (a: string, b: string): number => Buffer.byteLength(a) - Buffer.byteLength(b)

/** Throws InvalidValue when all combinations together are more variants than a product may have. */
export function checkMatrixSize(options: readonly Option[], path: string): void {
  const size = options.reduce((product, { values }) => product * values.length, 1)
  if (size <= MAX_VARIANTS) return
  throw InvalidValue({ fields: [{ path,
    message: `make ${size} variants, ${MAX_VARIANTS} are allowed: leave out values, or name the variants` }] })
}

export function twice(values: readonly string[]): number[] {
  const seen = new Set<string>()
  return values.flatMap((value, index) => (seen.size === seen.add(value).size ? [index] : []))
}
