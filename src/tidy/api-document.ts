// Whether an OpenAPI document is sound: every reference leads somewhere, every schema compiles as JSON Schema 2020-12,
// and the parameters of a path are those that it names.
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { OpenApi } from '../platform/openapi.ts'

/** What is wrong with a document; nothing for a sound one. */
export function faults(api: OpenApi): string[] {
  const wrong = Object.entries(api.paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, operation]) => {
      const declared = operation['parameters'].filter((one: any) => one.in === 'path').map((one: any) => one.name)
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      if (
        declared.sort().join() === named.sort().join() && operation['operationId'] && operation['responses']
      ) return []
      return [`${method} ${path} declares the parameters (${declared}) and names (${named})`]
    }))
  const ajv = new Ajv2020({ strict: false })
  addFormats.default(ajv)
  ajv.addSchema({ $id: 'document', ...api })
  visit(api, '#', (value, at) => {
    if (
      typeof value['$ref'] === 'string' && !resolves(api, value['$ref'])
    ) wrong.push(`${at}: ${value['$ref']} leads nowhere`)
    if (!value['schema']) return
    try {
      ajv.compile(JSON.parse(JSON.stringify(value['schema']).replaceAll('"#/', '"document#/')))
    } catch (error) {
      wrong.push(`${at}: ${(error as Error).message}`)
    }
  })
  return wrong
}

type Part = { [key: string]: any }

function visit(value: unknown, at: string, see: (value: Part, at: string) => void): void {
  if (typeof value !== 'object' || value === null) return
  see(value, at)
  for (const [key, part] of Object.entries(value)) visit(part, `${at}/${key}`, see)
}

function resolves(api: OpenApi, reference: string): boolean {
  return reference.split('/').slice(1).reduce((part: Part | undefined, key) => part?.[key], api) !== undefined
}
