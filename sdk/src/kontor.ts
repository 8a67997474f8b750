// The client of a shop. Each operation of the API is a method of its name; input is one object, whatever part of the
// request its fields belong to: `shop.setCartLines({ cartId, lines }, { token })`. Types are generated from the API's
// own description.
import { operations as adminTable, type Operations as AdminOperations } from './admin-api.ts'
import { call, type CallOptions, type ClientOptions, type Input, type Operation } from './call.ts'
import { operations as storeTable, type Operations as StoreOperations } from './store-api.ts'

export type { CallOptions, ClientOptions } from './call.ts'
export type { ProblemFields } from './problem-fields.ts'
export { isProblem, KontorProblem, KontorUnreachable, type ProblemCode, type ProblemDocument } from './problems.ts'
export type * as Admin from './admin-api.ts'
export type * as Store from './store-api.ts'

type Described = { input: object; answer: unknown }
type Method<One extends Described> = {} extends One['input']
  ? (input?: One['input'], options?: CallOptions) => Promise<One['answer']>
  : (input: One['input'], options?: CallOptions) => Promise<One['answer']>

export type StoreClient = { [Name in keyof StoreOperations]: Method<StoreOperations[Name]> }
export type AdminClient = { [Name in keyof AdminOperations]: Method<AdminOperations[Name]> }

/**
 * What shoppers may do, in the channel of the publishable key. Made for browsers: the key is no secret. `token` is the
 * session of a customer, for every call that names no other.
 */
export function createStoreClient(
  { publishableKey, token, ...options }: ClientOptions & { publishableKey: string; token?: string },
): StoreClient {
  const session: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const headers = { ...options.headers, 'x-publishable-key': publishableKey, ...session }
  return methodsOf(storeTable, { ...options, headers }) as StoreClient
}

/**
 * What staff and servers may do. The key is a secret: never in a browser. A page of the shop's own address leaves it
 * out and signs in: the browser keeps the session.
 */
export function createAdminClient({ secretKey, ...options }: ClientOptions & { secretKey?: string }): AdminClient {
  const key: Record<string, string> = secretKey === undefined ? {} : { authorization: `Bearer ${secretKey}` }
  return methodsOf(adminTable, { ...options, headers: { ...options.headers, ...key } }) as AdminClient
}

function methodsOf(table: Record<string, Operation>, client: ClientOptions): Record<string, unknown> {
  return Object.fromEntries(Object.entries(table).map(([name, operation]) =>
    [name, (input?: Input, options?: CallOptions) => call(client, operation, input, options)]))
}

type Page<Item> = { items: Item[]; nextCursor: string | null }

/** Every item of a list, page by page: `for await (const order of every(admin.listOrders, { limit: 100 }))`. */
export async function* every<Item, In extends { cursor?: string }>(
  list: (input?: In, options?: CallOptions) => Promise<Page<Item>>, input?: In, options?: CallOptions,
): AsyncGenerator<Item, void, undefined> {
  for (let cursor: string | null | undefined = input?.cursor; cursor !== null;) {
    const page: Page<Item> = await list({ ...input, ...cursor ? { cursor } : {} } as In, options)
    yield* page.items
    cursor = page.nextCursor
  }
}
