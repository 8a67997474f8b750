// A value that a schema takes, with every field that it names: the body of an honest request, to which one thing is
// then added. Ids are those of the ground where it has one of that name.
import fc from 'fast-check'

type Ids = Readonly<Record<string, string>>
const ANY_ID = '01900000-0000-7000-8000-000000000000'

export function fitting(schema: any, ids: Ids, name = ''): any {
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  if (schema.anyOf) return fitting(branchOf(schema), ids, name)
  switch (schema.type) {
    case 'object': return Object.fromEntries(Object.entries(schema.properties ?? {})
      .map(([one, inner]) => [one, fitting(inner, ids, one)]))
    case 'array':
      return Array.from({ length: Math.max(1, schema.minItems ?? 0) }, () => fitting(schema.items ?? {}, ids, name))
    case 'integer': case 'number': return Math.max(schema.minimum ?? 1, 1)
    case 'boolean': return true
    case 'string': return text(schema, ids, name)
    default: return null
  }
}

/** Of a union, the branch with something in it. */
export const branchOf = ({ anyOf }: { anyOf: any[] }): any => anyOf.find(({ type }) => type === 'object') ?? anyOf[0]

function text({ format, pattern, minLength = 1 }: any, ids: Ids, name: string): string {
  if (format === 'uuid') return ids[name] ?? ANY_ID
  if (format === 'email') return 'somebody@example.com'
  if (format === 'date-time') return '2026-01-01T00:00:00Z'
  // The same sample each time: what is asked twice is the same question.
  if (pattern) return fc.sample(fc.stringMatching(new RegExp(pattern)), { numRuns: 1, seed: 1 })[0]!
  return 'fitting words'.padEnd(minLength, ' x')
}
