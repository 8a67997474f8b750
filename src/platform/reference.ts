// The API reference for people: one page without any framework, made of the OpenAPI documents, and the documents
// themselves. All of it is made at the first request and kept: a start should not pay for what nobody reads.
import { createHash } from 'node:crypto'
import { Type } from 'typebox'
import { route, type Route } from './http.ts'
import { openApiDocument, type Description, type OpenApi } from './openapi.ts'
import { referencePage, SCRIPT, STYLE } from './reference-page.ts'

/** Routes that serve /openapi/<name>.json for each of the APIs, and /docs for people. */
export function referenceRoutes(apis: { [name: string]: Description }): Route[] {
  const documents = new Map<string, OpenApi>()
  const documentOf = (name: string): OpenApi => {
    let document = documents.get(name)
    if (!document) documents.set(name, (document = openApiDocument(apis[name]!)))
    return document
  }
  let page: Buffer | undefined
  return [
    ...Object.keys(apis).map((name) => route({
      method: 'GET', path: `/openapi/${name}.json`, access: 'public', operationId: `${name}OpenApi`,
      summary: `The OpenAPI document of the ${name} API`, tags: ['Reference'], response: { 200: Type.Unknown() },
      async run({ reply }) {
        reply.header('access-control-allow-origin', '*').type('application/json; charset=utf-8')
        return Buffer.from(JSON.stringify(documentOf(name)))
      },
    })),
    route({
      method: 'GET', path: '/docs', access: 'public', operationId: 'docs', summary: 'This reference, for people',
      tags: ['Reference'], response: { 200: Type.Unknown() },
      async run({ reply }) {
        reply.header('content-security-policy', POLICY).header('cross-origin-opener-policy', 'same-origin')
          .type('text/html; charset=utf-8')
        return page ??= Buffer.from(
          referencePage(Object.keys(apis).map((name) => ({ name, document: documentOf(name) })))
        )
      },
    }),
  ]
}

// The page may run its own script and style, named by their hashes, and load nothing.
const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const POLICY = `default-src 'none'; object-src 'none'; style-src ${hash(STYLE)}; script-src ${hash(SCRIPT)}; ` +
  `base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
