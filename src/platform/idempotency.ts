// One Idempotency-Key, one effect. The row of the key is written by the effect's own transaction (see context.ts and
// db.ts); here a repeated request is recognised and answered with the present state of what the first one did.
import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { AlreadyRun, principalOf, type Actor, type Idempotency } from './context.ts'
import { sql } from './db.ts'
import type { Route, RouteInput } from './http.ts'
import { newId } from './id.ts'
import { AlreadyDone, InvalidRequest, KeyReused, Problem } from './problem.ts'

/** What is known of a request with a key before its work begins. Throws InvalidRequest for a key that is none. */
export function newIdempotency(actor: Actor, route: string, key: unknown, asked: unknown): Idempotency {
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw InvalidRequest({
      fields: [{ path: 'header/idempotency-key', message: 'must be 1 to 255 visible ASCII characters' }],
    })
  }
  const bodyHash = createHash('sha256').update(JSON.stringify(asked)).digest()
  return { principal: principalOf(actor), route, key, bodyHash, resultId: newId(), written: false }
}

/** Runs the use case, or renders what it did when its Idempotency-Key ran before. */
export async function runOnce(
  definition: Route, input: RouteInput<any, any, any>, reply: FastifyReply,
): Promise<unknown> {
  const { idempotency } = input.context
  if (!idempotency) return definition.run(input)
  try {
    return await definition.run(input)
  } catch (error) {
    if (idempotency.written || !(error instanceof AlreadyRun || error instanceof Problem)) throw error
    // A refusal can itself be the trace of the first run ("this cart is an order already"), so it asks for the key as
    // well.
    const before = await input.db.maybe(Type.Object({ bodyHash: Type.Any(), resultId: Type.String() }), sql`
      select body_hash as "bodyHash", result_id as "resultId" from platform.idempotency_key
      where principal = ${idempotency.principal} and route = ${idempotency.route} and key = ${idempotency.key}`)
    if (!before) throw error
    if (
      !idempotency.bodyHash.equals(before.bodyHash as Buffer)
    ) throw KeyReused({}, 'Send a new key with a new request.')
    if (typeof definition.replay !== 'function') throw AlreadyDone({})
    reply.header('idempotent-replayed', 'true')
    idempotency.written = true
    return definition.replay({ ...input, resultId: before.resultId })
  }
}
