// The name of an operation in OpenAPI and the SDK, made of its method and path, so that it is the same whatever the
// code behind it is called: POST /admin/price-lists is createPriceList, POST /store/carts/:cartId/complete is
// completeCart. Where English gets in the way, a route says `operationId` itself.
import type { Route } from './http.ts'

type Part = { word: string; one: boolean }

export function operationName(route: Route): string {
  if (route.operationId) return route.operationId
  const parts = partsOf(route.path)
  const last = parts.at(-1) ?? { word: 'root', one: true }
  const noun = parts.map(({ word, one }) => pascal(one ? singular(word) : word)).join('')
  switch (route.method) {
    case 'GET': return (last.one ? 'get' : isList(route) ? 'list' : 'get') + noun
    case 'PUT': return `set${noun}`
    case 'PATCH': return `update${noun}`
    case 'DELETE': return `delete${noun}`
    case 'POST': {
      const owner = parts.slice(0, -1).map(({ word, one }) => pascal(one ? singular(word) : word)).join('')
      if (last.one || !isPlural(last.word)) return lowerFirst(pascal(last.word)) + owner
      return '201' in route.response ? `create${owner}${pascal(singular(last.word))}`
        : `add${owner}${pascal(last.word)}`
    }
  }
}

/**
 * What an operation is about: PriceList of /admin/price-lists/:priceListId. The resource that it answers is named so.
 */
export function resourceName(route: Route): string {
  const parts = partsOf(route.path)
  const named = route.method === 'POST' && parts.length > 1 && !isPlural(parts.at(-1)!.word) ? parts.slice(0, -1)
    : parts
  return named.map(({ word }) => pascal(singular(word))).join('')
}

// A word before a parameter means one of its things.
function partsOf(path: string): Part[] {
  const segments = path.split('/').slice(1)
  const inside = ['store', 'admin'].includes(segments[0]!) ? segments.slice(1) : segments
  return inside.flatMap((word, index) =>
    word.startsWith(':') || word === '' ? [] : [{ word, one: inside[index + 1]?.startsWith(':') ?? false }])
}

const isList = (route: Route): boolean => Object.values(route.response).some(
  (schema) => schema !== null && 'properties' in schema && 'items' in (schema.properties as object)
)
const UNCOUNTABLE = ['staff', 'stock', 'media']
const isPlural = (word: string): boolean => singular(word) !== word || UNCOUNTABLE.includes(word)

export function singular(word: string): string {
  if (/(?:ss|us|is|series|news|settings)$/.test(word)) return word
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`
  if (/(?:sses|shes|ches|xes)$/.test(word)) return word.slice(0, -2)
  return word.endsWith('s') ? word.slice(0, -1) : word
}

export function pascal(word: string): string {
  return word.split(/[^A-Za-z0-9]+/).map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join('')
}

const lowerFirst = (word: string): string => word.charAt(0).toLowerCase() + word.slice(1)
