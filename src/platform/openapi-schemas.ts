// Names for the schemas of an OpenAPI document. Modules declare plain objects without names; here each object that is
// the answer of an operation, or stands in more than one place, becomes a component. Its name comes from where it
// stands: the answer of /admin/price-lists is a PriceList, the items of its `prices` are a Price. Equal schemas are one
// component.
import type { TSchema } from 'typebox'
import type { Route } from './http.ts'
import { operationName, pascal, resourceName, singular } from './operation-name.ts'

export type Json = { [key: string]: any }

/**
 * The schema as plain JSON Schema: records as additionalProperties, which generators understand better than a pattern
 * for anything.
 */
export function plain(schema: TSchema): Json {
  return JSON.parse(JSON.stringify(schema), (_key, value) => {
    const anything = value?.patternProperties?.['^.*$']
    if (!anything) return value
    const { patternProperties: _, ...rest } = value
    return { ...rest, additionalProperties: anything }
  })
}

type Seen = { places: number; title: string | undefined; names: Map<string, number>; fallback: string }

// How much a place says about a name: what GET answers for one thing is that thing; a list or an action may answer less
// of it, and what is sent less still.
const ANSWERS_ONE = 4
const ANSWERS = 2
const PART_OF_ANSWER = 1
const PART_OF_INPUT = 0.5

export class Components {
  readonly #seen = new Map<string, Seen>()
  readonly #names = new Map<string, string>()

  /** Looks at everything that the routes answer and take, and decides what gets a name. */
  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      for (const schema of Object.values(route.response)) if (schema) this.#visitAnswer(plain(schema), route)
      if (route.body) this.#visitParts(plain(route.body), `${resourceName(route)}Input`, PART_OF_INPUT)
    }
    const taken = new Set<string>()
    const byWeight = [...this.#seen].sort(
      ([, a], [, b]) => Math.max(...b.names.values()) - Math.max(...a.names.values())
    )
    for (const [key, { places, names, title, fallback }] of byWeight) {
      if (places < 2) continue
      const wanted = [title ? pascal(title) : bestName(names), fallback]
      let name = wanted.find((one) => !taken.has(one)) ?? wanted[0]!
      for (let number = 2; taken.has(name); number++) name = `${wanted[0]}${number}`
      taken.add(name)
      this.#names.set(key, name)
    }
  }

  #visitAnswer(schema: Json, route: Route): void {
    const name = resourceName(route)
    const item = schema['properties']?.items?.items
    if (item?.properties) this.#visit(item, name, ANSWERS, `${name}Summary`)
    else this.#visit(
      schema, name, route.method === 'GET' ? ANSWERS_ONE : ANSWERS, `${pascal(operationName(route))}Result`
    )
  }

  // An answer gets a name even if it stands in one place only.
  #visit(schema: Json, name: string, weight: number, fallback: string): void {
    if (schema['type'] === 'object' && Object.keys(schema['properties'] ?? {}).length >= 2) {
      const key = keyOf(schema)
      const known = this.#seen.get(key)
      const seen = known ?? { places: 0, title: undefined, names: new Map<string, number>(), fallback }
      seen.places += Math.max(weight, 1)
      seen.title ??= schema['title']
      seen.names.set(name, (seen.names.get(name) ?? 0) + weight)
      this.#seen.set(key, seen)
      if (known) return   // its parts stand in one place, however often it is answered
    }
    this.#visitParts(schema, name, Math.min(weight, PART_OF_ANSWER))
  }

  #visitParts(schema: Json, name: string, weight: number): void {
    for (const [property, part] of Object.entries<Json>(schema['properties'] ?? {})) {
      this.#visitWithin(part, part['items'] ? singular(property) : property, name, weight)
    }
    for (const part of [...schema['anyOf'] ?? [], ...schema['allOf'] ?? [], ...schema['oneOf'] ?? []] as Json[]) {
      const kind = pascal(part['properties']?.kind?.const ?? '')   // PercentageDiscount, AmountDiscount
      this.#visit(part, kind + name, weight, `${kind}${name}Value`)
    }
    if (schema['items']) this.#visit(schema['items'], name, weight, `${name}Item`)
  }

  #visitWithin(part: Json, property: string, owner: string, weight: number): void {
    const inner = part['items'] ?? part
    const own = `${owner}${pascal(property)}`
    const name = property.length > 3 && property !== 'items' ? pascal(property) : own
    const fallback = weight === PART_OF_INPUT ? `${name}Input` : own
    if (inner['properties']) this.#visit(inner, name, weight, fallback)
    else this.#visitParts(inner, name, weight)
  }

  /** The schema with what has a name replaced by a reference to it. */
  reference(schema: TSchema | Json): Json {
    return this.#replace(plain(schema as TSchema))
  }

  /** A schema of a request: its parts may have names, it has none itself. */
  inline(schema: TSchema | Json): Json {
    return this.#replaceParts(plain(schema as TSchema))
  }

  #replace(schema: Json): Json {
    const name = this.#names.get(keyOf(schema))
    if (!name) return this.#replaceParts(schema)
    return {
      $ref: `#/components/schemas/${name}`, ...schema['description'] ? { description: schema['description'] } : {},
    }
  }

  #replaceParts(schema: Json): Json {
    const copy: Json = {}
    for (const [key, value] of Object.entries(schema)) {
      if (key === 'properties') {
        copy[key] = Object.fromEntries(
          Object.entries<Json>(value).map(([property, part]) => [property, this.#replace(part)])
        )
      } else if (['anyOf', 'allOf', 'oneOf'].includes(key)) {
        copy[key] = value.map((part: Json) => this.#replace(part))
      } else if ((key === 'items' || key === 'additionalProperties') && typeof value === 'object') {
        copy[key] = this.#replace(value)
      } else {
        copy[key] = value
      }
    }
    return copy
  }

  /** All named schemas, by name. */
  all(): Json {
    return Object.fromEntries([...this.#names]
      .map(([key, name]): [string, Json] => [name, this.#replaceParts(JSON.parse(key))])
      .sort(([a], [b]) => a.localeCompare(b)))
  }
}

// Title and description say what a schema means in its place; it is the same schema elsewhere.
function keyOf({ title: _, description: __, ...schema }: Json): string {
  return JSON.stringify(schema)
}

// Of billingAddress and shippingAddress: Address. Otherwise the name that says most, then the shortest.
function bestName(names: ReadonlyMap<string, number>): string {
  const words = [...names.keys()].map((name) => name.split(/(?=[A-Z])/))
  const [first = [], ...others] = words
  const shared = first.findIndex(
    (_, index) => others.every((other) => other.join('').endsWith(first.slice(index).join('')))
  )
  if (others.length > 0 && shared !== -1) return first.slice(shared).join('')
  return [...names].sort(([a, m], [b, n]) => n - m || a.length - b.length || a.localeCompare(b))[0]![0]
}
