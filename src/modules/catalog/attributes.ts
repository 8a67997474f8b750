// Typed attributes: a definition says what kind of value a code holds, so that a value can be filtered, compared and
// shown properly. A definition's kind is for ever, because products hold values of it; name, choices and filterability
// may change.
import { Type, type Static } from 'typebox'
import { sql, type Conn, type Tx } from '../../platform/db.ts'
import { OneLine, route } from '../../platform/http.ts'
import { InvalidValue, problem } from '../../platform/problem.ts'
import type { Attributes } from './catalog.ts'

const Code = Type.String({ maxLength: 60, pattern: '^[a-z0-9]+([_-][a-z0-9]+)*$' })
export const AttributeInput = Type.Object({
  name: OneLine(200),
  kind: Type.Enum(['text', 'number', 'boolean', 'date', 'choice']),
  choices: Type.Optional(Type.Array(OneLine(200),
    { maxItems: 1_000, uniqueItems: true })),
  filterable: Type.Optional(Type.Boolean(
    { description: 'Shoppers can filter by it; products that are saved from now on show it' })),
})
export type AttributeInput = Static<typeof AttributeInput>
export const Attribute = Type.Object({
  code: Type.String(), ...AttributeInput.properties, choices: Type.Array(Type.String()), filterable: Type.Boolean(),
})
export type Attribute = Static<typeof Attribute>
export const AttributeKindFixed = problem('attribute-kind-fixed', 409, 'The kind of an attribute cannot change')

export async function listAttributes(conn: Conn): Promise<Attribute[]> {
  return conn.many(Attribute, sql`select code, name, kind, choices, filterable from catalog.attribute order by code`)
}

/**
 * Defines an attribute or changes its definition. Asked twice it is the same. Throws AttributeKindFixed, InvalidValue.
 */
export async function saveAttribute(
  tx: Tx, code: string, { name, kind, choices = [], filterable = false }: AttributeInput,
): Promise<Attribute> {
  if ((kind === 'choice') !== (choices.length > 0)) {
    throw InvalidValue({ fields: [{ path: 'body/choices',
      message: 'are what a choice needs and no other kind may have' }] })
  }
  const saved = await tx.maybe(Attribute, sql`
    insert into catalog.attribute as present (code, name, kind, choices, filterable)
    values (${code}, ${name}, ${kind}, ${choices}, ${filterable})
    on conflict (code) do update set name = excluded.name, choices = excluded.choices, filterable = excluded.filterable
    where present.kind = excluded.kind
    returning code, name, kind, choices, filterable`)
  if (!saved) throw AttributeKindFixed({},
    'Products hold values of the old kind: define another attribute and move them.')
  return saved
}

/** Throws InvalidValue for each value that its definition does not allow, and for each code without a definition. */
export async function checkAttributes(
  conn: Conn, documents: readonly { attributes: Attributes; path: string }[],
): Promise<void> {
  if (documents.every(({ attributes }) => Object.keys(attributes).length === 0)) return
  const defined = new Map((await listAttributes(conn)).map((attribute) => [attribute.code, attribute]))
  const fields = documents.flatMap(({ attributes, path }) => Object.entries(attributes).flatMap(([code, value]) => {
    const message = objection(defined.get(code), value)
    return message ? [{ path: `${path}/${code}`, message }] : []
  }))
  if (fields.length > 0) throw InvalidValue({ fields: fields.slice(0, 20) })
}

function objection(attribute: Attribute | undefined, value: string | number | boolean): string | undefined {
  if (!attribute) return 'is not defined: PUT /admin/attributes/{code} defines it; or use metadata'
  const { kind, choices } = attribute
  if (kind === 'choice') return choices.includes(String(value)) ? undefined : `must be one of ${choices.join(', ')}`
  if (kind === 'date') return /^\d{4}-\d{2}-\d{2}$/.test(String(value)) && !Number.isNaN(Date.parse(String(value)))
    ? undefined : 'must be a date, YYYY-MM-DD'
  return typeof value === (kind === 'text' ? 'string' : kind) ? undefined : `must be a ${kind}`
}

const getAttributes = route({
  method: 'GET', path: '/admin/attributes', access: { permission: 'catalog:read' }, tags: ['Catalogue'],
  summary: 'List attribute definitions',
  response: { 200: Type.Object({ items: Type.Array(Attribute) }) },
  run: async ({ db }) => ({ items: await listAttributes(db) }),
})

const putAttribute = route({
  method: 'PUT', path: '/admin/attributes/:code', access: { permission: 'catalog:write' }, tags: ['Catalogue'],
  summary: 'Define an attribute, or change its definition',
  params: Type.Object({ code: Code }), body: AttributeInput, response: { 200: Attribute },
  problems: [AttributeKindFixed, InvalidValue],
  run: ({ db, context, params, body }) => db.transaction(context, (tx) => saveAttribute(tx, params.code, body)),
})

export const attributeRoutes = [getAttributes, putAttribute]
