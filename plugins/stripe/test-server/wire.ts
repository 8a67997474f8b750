// How Stripe's API v1 looks on the wire, as its documentation says: form-encoded requests, errors in an envelope, and
// idempotency keys. A key keeps the status and the body of the first answer, 500 included, once the work has begun; a
// request that is refused before that, or that meets another one under way, keeps nothing.

export type Tree = { [name: string]: Tree | string }
export type Reply = { status: number; body: unknown; headers?: Record<string, string> }

/** An answer that is an error: thrown anywhere, sent in Stripe's envelope. */
export class WireError extends Error {
  readonly status: number
  readonly fields: Record<string, unknown>
  constructor(status: number, fields: { type: string; message: string } & Record<string, unknown>) {
    super(fields.message)
    this.status = status
    this.fields = fields
  }
}

export const invalid = (message: string, more: Record<string, unknown> = {}): WireError =>
  new WireError(400, { type: 'invalid_request_error', message, ...more })

export const missing = (what: string, id: string): WireError => new WireError(404, {
  type: 'invalid_request_error', code: 'resource_missing', param: 'id', message: `No such ${what}: '${id}'`,
})

/** `a[b][0]=c` as `{ a: { b: { 0: 'c' } } }`. */
export function decodeForm(text: string): Tree {
  const tree: Tree = Object.create(null)
  for (const [name, value] of new URLSearchParams(text)) {
    const path = name.replaceAll(']', '').split('[')
    let place = tree
    for (const part of path.slice(0, -1)) {
      const next = place[part] ??= Object.create(null) as Tree
      if (typeof next === 'string') throw invalid(`Invalid object: ${name}`, { param: name })
      place = next
    }
    place[path.at(-1)!] = value
  }
  return tree
}

/** Refuses what the endpoint does not know, as Stripe does. `metadata[]` stands for any name in it. */
export function refuseUnknown(text: string, known: readonly string[]): void {
  for (const name of new URLSearchParams(text).keys()) {
    const shape = name.replace(/^((?:\w+\[)?metadata\]?)\[[^\]]+\]$/, '$1[]').replace(/\[\d+\]/g, '[]')
    if (!known.includes(shape)) {
      throw invalid(`Received unknown parameter: ${name}`, { code: 'parameter_unknown', param: name })
    }
  }
}

export function text(tree: Tree, name: string): string | undefined {
  const value = tree[name]
  if (value === undefined || typeof value === 'string') return value
  throw invalid(`Invalid string: ${name}`, { param: name })
}

export function need(tree: Tree, name: string): string {
  const value = text(tree, name)
  if (value) return value
  throw invalid(`Missing required param: ${name}.`, { code: 'parameter_missing', param: name })
}

export function amount(tree: Tree, name: string): number {
  const value = need(tree, name)
  if (!/^\d{1,15}$/.test(value)) {
    throw invalid(`Invalid integer: ${value}`, { code: 'parameter_invalid_integer', param: name })
  }
  if (Number(value) > 99_999_999) {
    throw invalid('Amount must be no more than 999,999.99', { code: 'amount_too_large', param: name })
  }
  if (Number(value) < 1) throw invalid('This value must be greater than or equal to 1.', { param: name })
  return Number(value)
}

export function strings(tree: Tree, name: string): Record<string, string> {
  const value = tree[name] ?? {}
  if (typeof value === 'string') throw invalid(`Invalid hash: ${name}`, { param: name })
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one)]))
}

type Kept = { request: string; reply?: Reply }

export class IdempotencyKeys {
  readonly #kept = new Map<string, Kept>()

  /** Answers the work, or what was answered before under this key. `request` is endpoint and parameters. */
  async once(key: string | undefined, request: string, work: () => Promise<Reply>): Promise<Reply> {
    if (!key) return work()
    const known = this.#kept.get(key)
    if (known && known.request !== request) {
      throw new WireError(400, { type: 'idempotency_error', message: 'Keys for idempotent requests can only be used ' +
        `with the same parameters they were first used with. Try using a key other than '${key}'.` })
    }
    if (known && !known.reply) {
      throw new WireError(409, { type: 'idempotency_error', code: 'idempotency_key_in_use',
        message: 'There is currently another in-progress request using this Idempotency Key.' })
    }
    if (known?.reply) return { ...known.reply, headers: { 'idempotent-replayed': 'true', ...known.reply.headers } }
    const kept: Kept = { request }
    this.#kept.set(key, kept)
    try {
      return kept.reply = await work()
    } catch (error) {
      this.#kept.delete(key)
      throw error
    }
  }
}
