// An answer that is ready to go out as it is: made once, sent often.
import type { FastifyReply } from 'fastify'
import { strict, type Cost } from './db.ts'

/** Its bytes and all headers that belong to them. */
export class ReadyAnswer {
  readonly status: number
  /** Names and values in turn, as Node takes them without looking at each. */
  readonly headers: string[]
  readonly body: Buffer
  constructor(status: number, headers: readonly (readonly [string, string])[], body: Buffer) {
    this.status = status
    this.headers = headers.flat()
    this.body = body
  }
}

const NO_COST: Cost = { statements: 0, trips: 0 }

/** Developers see what a request cost the database. */
export const timingOf = ({ statements, trips }: Cost): string => `db;desc="${statements} statements, ${trips} trips"`

// Past Fastify's reply, whose hooks and serialisers have nothing to do here: they cost as much as all the rest of it.
export function sendReady(reply: FastifyReply, { status, headers, body }: ReadyAnswer, cost = NO_COST): void {
  reply.hijack()
  const more = strict ? ['x-request-id', reply.request.id, 'server-timing', timingOf(cost)]
    : ['x-request-id', reply.request.id]
  reply.raw.writeHead(status, headers.concat(more)).end(body)
}
