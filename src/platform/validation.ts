// Checks what comes in. Ajv compiles a schema at its first use (compiling all of them would cost the start), paths and
// queries are coerced from text, bodies never. Unknown fields are refused everywhere: a misspelt optional field must
// not be silently ignored.
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import { Type, type TSchema, type TString } from 'typebox'
import { hasCardNumber } from './card-number.ts'
import { InvalidCursor, InvalidRequest } from './problem.ts'

export const Id = Type.String({ format: 'uuid', description: 'A UUID' })
export const Timestamp = Type.String({
  // Narrower than the format: year 0 and offsets beyond 14 hours are dates that PostgreSQL does not have.
  format: 'date-time', pattern: '^(?!0000)[0-9]{4}-[^+-]*-[^+-]*(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$',
  description: 'ISO 8601 in UTC',
})

// Without look-ahead, which generators of examples do not understand.
const ONE_LINE =
  '^[^\\S\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$'

/**
 * Text of one line that is not blank: a name, a street, a code. Line ends and other control characters are refused,
 * since it is printed on labels, in headers of mails and in files with commas.
 */
export function OneLine(maxLength: number, options: { description?: string; examples?: string[] } = {}): TString {
  return Type.String({ ...options, minLength: 1, maxLength, pattern: ONE_LINE })
}

/** The query of a list. The cursor is opaque: take it from the page before. */
export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
  cursor: Type.Optional(Type.String({ maxLength: 500 })),
}

/** A page of a list; `nextCursor` is null on the last one. */
export function Page<Item extends TSchema>(item: Item) {
  return Type.Object({ items: Type.Array(item), nextCursor: Type.Union([Type.String(), Type.Null()]) })
}

export function encodeCursor(values: readonly (string | number | null)[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url')
}

/**
 * The values of a cursor, checked against one schema each: a cursor comes from outside, and a forged one must not reach
 * the database as something that it cannot compare. A number in place of a count of schemas only checks how many there
 * are. Throws InvalidCursor.
 */
export function decodeCursor(cursor: string, shape: readonly TSchema[] | number): (string | number | null)[] {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    const plain = (value: unknown): boolean =>
      value === null || typeof value === 'number' || (
        typeof value === 'string' && !value.includes('\0') && value.isWellFormed()
      )
    const fits = Array.isArray(values) && values.every(plain) &&
      (typeof shape === 'number' ? values.length === shape : exact.validate(
        { type: 'array', items: shape, minItems: shape.length, maxItems: shape.length }, values
      ))
    if (fits) return values
  } catch { /* answered below */ }
  throw InvalidCursor({}, 'Take the cursor from nextCursor of the page before, or leave it out to start anew.')
}

const options = { allErrors: true, useDefaults: true, strict: false, verbose: true } as const
const textual = new Ajv({ ...options, coerceTypes: 'array' })
const exact = new Ajv(options)
for (const ajv of [textual, exact]) addFormats.default(
  ajv, ['uuid', 'date-time', 'date', 'email', 'uri', 'ipv4', 'ipv6']
)

/**
 * A function that checks a value (and, for text, coerces it and sets defaults), or throws InvalidRequest naming each
 * field.
 */
export function validator(schema: TSchema | undefined, place: string, coerce: boolean): (value: unknown) => unknown {
  let check: ValidateFunction | undefined
  return (value) => {
    if (!schema && isEmpty(value)) return value ?? {}
    check ??= (coerce ? textual : exact).compile(closed(schema ?? Type.Object({})) as object)
    const given = value === undefined ? {} : value
    if (check(given)) return given
    throw InvalidRequest({ fields: meant(check.errors ?? []).slice(0, 20).map((error) => fieldOf(error, place)) })
  }
}

/**
 * What a person meant: of the branches of a union the one that the value comes closest to is named, and no other. A
 * branch of another kind (null, another constant in the field that tells the branches apart) is no candidate.
 */
function meant(errors: ErrorObject[]): ErrorObject[] {
  const union = errors.find(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')
  if (!union) return errors
  const inUnion = (error: ErrorObject): boolean => error.schemaPath.startsWith(`${union.schemaPath}/`)
  const branchOf = (error: ErrorObject): string => error.schemaPath.slice(union.schemaPath.length + 1).split('/')[0]!
  const branches = [...Map.groupBy(errors.filter(inUnion), branchOf).values()]
  const distance = (branch: ErrorObject[]): number => branch.length + 100 * branch.filter(({ keyword, instancePath }) =>
    keyword === 'const' || (keyword === 'type' && instancePath === union.instancePath)).length
  const [sorted = [union]] = branches.toSorted((one, other) => distance(one) - distance(other))
  const constants = branches.map((branch) => branch.find(({ keyword }) => keyword === 'const'))
  // None of the kinds that there are: then all of them are named.
  const closest = constants.length > 0 && constants.every((one) => one !== undefined) ? [{
    ...constants[0]!, keyword: 'enum', params: { allowedValues: constants.map((one) => one!.params['allowedValue']) },
  }] : sorted
  return meant([...errors.filter((error) => error !== union && !inUnion(error)), ...closest])
}

function isEmpty(value: unknown): boolean {
  for (const _ in value as object) return false
  return true
}

const formats: Record<string, string> = {
  email: 'must be an e-mail address, as you@example.com', uuid: 'must be a UUID',
  uri: 'must be an address, as https://…',
  'date-time': 'must be a time, as 2026-01-31T12:00:00Z', date: 'must be a date, as 2026-01-31',
}

function fieldOf(error: ErrorObject, place: string): { path: string; message: string } {
  const path = place + error.instancePath
  if (error.keyword === 'additionalProperties') {
    return {
      path: `${path}/${error.params['additionalProperty']}`,
      message: 'is not a field of this request: leave it out, or mind the spelling',
    }
  }
  if (error.keyword === 'required') return { path: `${path}/${error.params['missingProperty']}`, message: 'is missing' }
  if (error.keyword === 'enum') return {
    path, message: `must be one of ${(error.params['allowedValues'] as unknown[]).join(', ')}`,
  }
  if (error.keyword === 'const') return { path, message: `must be ${JSON.stringify(error.params['allowedValue'])}` }
  if (error.keyword === 'format') return { path, message: formats[error.params['format']] ?? error.message! }
  if (error.keyword === 'pattern' && error.schema === ONE_LINE) {
    return { path, message: 'must be one line of text, not blank' }
  }
  const { description } = (error.parentSchema ?? {}) as { description?: string }
  if (error.keyword === 'pattern' && description) return { path, message: `does not have the form: ${description}` }
  return { path, message: error.message ?? 'is not valid' }
}

/**
 * The schema with every object closed against unknown fields, unless it says otherwise. Shared schemas are not touched.
 */
export function closed(schema: TSchema): TSchema {
  return mapObjects(schema, (object) => ('additionalProperties' in object || 'patternProperties' in object ? object : {
    ...object, additionalProperties: false,
  }))
}

function mapObjects(schema: unknown, change: (object: Record<string, unknown>) => Record<string, unknown>): TSchema {
  if (Array.isArray(schema)) return schema.map((item) => mapObjects(item, change)) as unknown as TSchema
  if (typeof schema !== 'object' || schema === null) return schema as TSchema
  const copy: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(schema)) {
    copy[key] = key === 'enum' || key === 'const' || key === 'default' || key === 'examples' ? value
      : mapObjects(value, change)
  }
  return (copy['type'] === 'object' && copy['properties'] ? change(copy) : copy) as unknown as TSchema
}

/**
 * Refuses text that PostgreSQL cannot hold (NUL, half a surrogate pair) and what looks like a card number, wherever it
 * hides, before anything is done with it. `bankNumbers`: its long numbers are no cards.
 */
export function refuseHostileText<T>(value: T, path: string, bankNumbers = false, depth = 0): T {
  if (typeof value === 'string') {
    if (value.includes('\0') || !value.isWellFormed()) throw InvalidRequest(
      { fields: [{ path, message: 'has a character that no text may have' }] }
    )
    if (!bankNumbers && hasCardNumber(value)) refuseCard(path)
  } else if (typeof value === 'number') {
    if (!bankNumbers && value > 1e13 && hasCardNumber(String(value))) refuseCard(path)
  } else if (typeof value === 'object' && value !== null) {
    // Deeper than any of our documents: a recursive walk of somebody else's nesting must end.
    if (depth > 32) throw InvalidRequest({ fields: [{ path, message: 'is nested too deep' }] })
    for (const [key, item] of Object.entries(value)) {
      refuseHostileText(key, path, bankNumbers, depth + 1)
      refuseHostileText(item, `${path}/${key}`, bankNumbers, depth + 1)
    }
  }
  return value
}

function refuseCard(path: string): never {
  const message = 'looks like a card number: cards are typed at the gateway, never here'
  throw InvalidRequest({ fields: [{ path, message }] })
}
