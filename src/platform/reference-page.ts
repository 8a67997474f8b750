// The page at /docs. Everything is in the document and readable without a script; the script only filters. Operations
// are closed until somebody wants to read them, so that the page is a list first.
import type { OpenApi } from './openapi.ts'
import type { Json } from './openapi-schemas.ts'

type Api = { name: string; document: OpenApi }
type Operation = { api: string; path: string; method: string; operation: Json; document: OpenApi }

export function referencePage(apis: Api[]): string {
  const title = apis[0]?.document.info['title'] ?? 'API'
  return `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(title)}: API reference</title><style>${STYLE}</style>
<header><h1>${text(title)}</h1><p>${text(apis[0]?.document.info['description'] ?? '')}</p>
<p>${apis.map(({ name }) => `<a href="/openapi/${name}.json">openapi/${name}.json</a>`).join(' · ')}</p>
<input id="filter" type="search" placeholder="Filter: cart, POST, out-of-stock …" aria-label="Filter operations"
autofocus></header>
<main>${apis.map(section).join('')}</main><script>${SCRIPT}</script></html>`
}

function section({ name, document }: Api): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Operation => ({ api: name, path, method, operation, document })))
  const byTag = Map.groupBy(operations, ({ operation }) => operation['tags'][0] as string)
  const groups = [...byTag].sort(([a], [b]) => a.localeCompare(b)).map(([tag, list]) =>
    `<section><h3>${text(tag)}</h3>${list.map(details).join('')}</section>`)
  return `<h2>/${text(name)}</h2>${groups.join('')}`
}

function details(one: Operation): string {
  const { api, path, method, operation, document } = one
  const parameters = operation['parameters'] as Json[]
  const body = operation['requestBody']?.content['application/json']?.schema as Json | undefined
  const id = `${api}.${operation['operationId']}`
  const named = parameters.map(({ name, schema, required, in: place, description = '' }) =>
    row(name, schema, required, `${text(place)}. ${prose(description)}`))
  return `<details id="${text(id)}"><summary><b class="${method}">${method.toUpperCase()}</b> <code>${text(path)}</code>
<span>${text(operation['summary'])}</span></summary>
${operation['description'] ? `<p>${prose(operation['description'])}</p>` : ''}
<p><small>${text(access(operation))} · SDK: <code>${text(operation['operationId'])}</code></small></p>
${named.length > 0 ? `<h4>Parameters</h4>${table(named)}` : ''}
${body ? `<h4>Body</h4>${schemaView(body, document)}` : ''}
${Object.entries<Json>(operation['responses']).map(([status, response]) => answer(status, response, document)).join('')}
<h4>Try it</h4><pre>${text(curl(one, body))}</pre></details>`
}

function answer(status: string, response: Json, document: OpenApi): string {
  const schema = response['content']?.['application/json']?.schema as Json | undefined
  if (status.startsWith('2')) {
    if (schema) return `<h4>${status}</h4>${schemaView(schema, document)}`
    return `<h4>${status} ${text(response['description'])}</h4>`
  }
  return `<p class="problem"><b>${status}</b> ${prose(response['description']).replaceAll('\n\n', '; ')}</p>`
}

function access(operation: Json): string {
  const [first] = operation['security'] as Json[]
  if (!first) return 'Anybody may call'
  return 'publishableKey' in first ? 'x-publishable-key' : 'Staff session or Authorization: Bearer sk_…'
}

// References are opened in place; three levels deep is what a reader can follow.
function schemaView(schema: Json, document: OpenApi, depth = 0): string {
  const open = resolve(schema, document)
  const item = open['items'] ? resolve(open['items'], document) : undefined
  if (item?.['properties']) return `<p>list of</p>${schemaView(item, document, depth)}`
  const choices = (open['anyOf'] as Json[] | undefined)?.map((choice) => resolve(choice, document))
  const object = open['properties'] ? open : choices?.find((choice) => choice['properties'])
  if (!object) return `<p><code>${text(typeName(open))}</code></p>`
  const required = new Set<string>(object['required'] ?? [])
  return table(Object.entries<Json>(object['properties']).map(([name, part]) => {
    const inner = resolve(part, document)
    const nested = [inner, inner['items'] ?? {}, ...(inner['anyOf'] as Json[] ?? [])]
      .some((candidate) => resolve(candidate, document)['properties'])
    const opened = nested && depth < 3 ? schemaView(inner, document, depth + 1) : ''
    return row(name, inner, required.has(name), `${prose(inner['description'] ?? '')}${opened}`)
  }))
}

function resolve(schema: Json, document: OpenApi): Json {
  const name = schema['$ref']?.split('/').at(-1)
  return name ? (document.components['schemas'] as Json)[name] : schema
}

const table = (rows: string[]): string => `<table>${rows.join('')}</table>`

function row(name: string, schema: Json, required: boolean, html: string): string {
  return `<tr><td><code>${text(name)}</code>${required ? '' : '?'}<td><code>${text(typeName(schema))}</code><td>${html}`
}

function typeName(schema: Json): string {
  if (schema['$ref']) return schema['$ref'].split('/').at(-1)
  if (schema['const'] !== undefined) return JSON.stringify(schema['const'])
  if (schema['enum']) return schema['enum'].map((value: unknown) => JSON.stringify(value)).join(' | ')
  if (schema['anyOf']) return schema['anyOf'].map(typeName).join(' | ')
  if (schema['items']) return `${typeName(schema['items'])}[]`
  const bounds = [schema['minimum'] ?? schema['minLength'], schema['maximum'] ?? schema['maxLength']]
  const range = bounds.some((bound) => bound !== undefined) ? ` ${bounds[0] ?? ''}…${bounds[1] ?? ''}` : ''
  return `${schema['format'] ?? schema['type'] ?? 'anything'}${range}`
}

function curl({ path, method, operation }: Operation, body: Json | undefined): string {
  const shopper = operation['security'].some((one: Json) => 'publishableKey' in one)
  const keyed = operation['parameters'].some((one: Json) => one['name'] === 'Idempotency-Key')
  const secret = operation['security'].length > 0 ? ['-H "authorization: Bearer $SECRET_KEY"'] : []
  const lines = [
    `curl -X ${method.toUpperCase()} $KONTOR_URL${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `$${name}`)}`,
    ...shopper ? ['-H "x-publishable-key: $PUBLISHABLE_KEY"'] : secret,
    ...keyed ? ['-H "idempotency-key: $(uuidgen)"'] : [],
    ...body ? ["-H 'content-type: application/json'", `-d '${JSON.stringify(example(body))}'`] : [],
  ]
  return lines.join(' \\\n  ')
}

function example(schema: Json): unknown {
  if (schema['examples']) return schema['examples'][0]
  if (schema['default'] !== undefined) return schema['default']
  if (schema['const'] !== undefined) return schema['const']
  if (schema['enum']) return schema['enum'][0]
  if (schema['anyOf']) return example(schema['anyOf'][0])
  if (schema['properties']) {
    const required = schema['required'] as string[] ?? []
    return Object.fromEntries(required.map((name) => [name, example(schema['properties'][name] ?? {})]))
  }
  if (schema['type'] === 'array') return [example(schema['items'] ?? {})]
  if (schema['type'] === 'integer' || schema['type'] === 'number') return schema['minimum'] ?? 1
  return schema['type'] === 'boolean' ? true : schema['type'] === 'object' ? {} : '…'
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const text = (value: unknown): string => String(value).replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!)
const prose = (value: unknown): string => text(value).replaceAll(/`([^`]+)`/g, '<code>$1</code>')

export const SCRIPT = `
const filter = document.getElementById('filter')
const words = (element) => element.textContent.toLowerCase()
const all = [...document.querySelectorAll('details')].map((element) => ({ element, text: words(element) }))
filter.addEventListener('input', () => {
  const wanted = filter.value.toLowerCase().split(/\\s+/).filter(Boolean)
  for (const { element, text } of all) element.hidden = !wanted.every((word) => text.includes(word))
  for (const section of document.querySelectorAll('section')) {
    section.hidden = !section.querySelector('details:not([hidden])')
  }
})
const show = () => {
  const target = document.getElementById(location.hash.slice(1))
  if (!target) return
  target.open = true
  target.scrollIntoView()
}
addEventListener('hashchange', show)
show()
`

export const STYLE = `
:root { color-scheme: light dark; --dim: light-dark(#666, #a0a0a0) }
:root { --line: light-dark(#ddd, #3a3a3a); --soft: light-dark(#f6f6f4, #222) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 0 auto; padding: 2rem 1rem 6rem }
h1 { margin: 0 } h2 { margin: 3rem 0 0; font-size: 1.6rem } h3 { margin: 1.6rem 0 .4rem } h4 { margin: 1rem 0 .3rem }
header p { margin: .3rem 0; color: var(--dim) }
input { width: 100%; box-sizing: border-box; font: inherit; padding: .6rem .8rem; margin-top: 1rem }
input, details { border: 1px solid var(--line); border-radius: .5rem }
details { margin: .3rem 0; padding: 0 .8rem }
details[open] { padding-bottom: .8rem }
summary { cursor: pointer; padding: .5rem 0; display: flex; gap: .7rem; align-items: baseline; flex-wrap: wrap }
summary span { color: var(--dim) }
code, pre, summary b { font: .9em/1.5 ui-monospace, monospace }
summary b { min-width: 4.2rem; font-weight: 700 }
.get { color: light-dark(#0a6b3d, #5fd39a) } .post { color: light-dark(#1d4fbf, #8db4ff) }
.delete { color: light-dark(#b3261e, #ff9a93) }
.put, .patch { color: light-dark(#8a5300, #f0b866) }
pre { background: var(--soft); padding: .8rem; border-radius: .5rem; white-space: pre-wrap; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
td { border-top: 1px solid var(--line); padding: .3rem .6rem .3rem 0; vertical-align: top; overflow-wrap: anywhere }
td:nth-child(1) { white-space: nowrap } td table { margin: .3rem 0 .3rem .5rem; background: var(--soft) }
.problem { margin: .2rem 0; color: var(--dim) } .problem b { color: inherit }
@media (max-width: 40rem) {
  td { display: block; border: 0; padding: .1rem 0 }
  td:first-child { border-top: 1px solid var(--line); padding-top: .4rem }
}
`
