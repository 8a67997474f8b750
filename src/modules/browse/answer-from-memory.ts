// Answers shoppers from memory: the ready bytes of each (channel, question), dropped by tags when what they show
// changes. An answer is made once however many ask (single flight), is kept within a bound, and lives a minute at most
// even if no change was ever heard of. Nothing here belongs to a person, so shared caches may keep an answer for its
// second, too.

import { createHash } from 'node:crypto'
import { TaggedCache, type InvalidationFeed } from '../../platform/cache.ts'
import type { Actor, Db } from '../../platform/db.ts'

type Reply = { header(name: string, value: string): unknown, status(code: number): unknown }
type Answer = { body: Buffer, etag: string }
export type Made = {
  value: unknown
  /** What it shows. */
  tags: readonly string[]
  maxAgeMs?: number
}

// 64 MiB: some ten thousand pages of a list, and a quarter of what the process may weigh.
const MAX_BYTES = 64 * 1024 * 1024
// What an entry weighs beside its body: objects, map slots, a tag's set.
const ENTRY_BYTES = 600
const TAG_BYTES = 150
const memories = new WeakMap<Db, TaggedCache<Answer>>()

function memoryOf(db: Db): TaggedCache<Answer> {
  let memory = memories.get(db)
  if (!memory) memories.set(db, (memory = new TaggedCache(MAX_BYTES)))
  return memory
}

/** Lets changes reach the answers of this process. Call once when it starts. */
export function forgetOnChange(db: Db, feed: InvalidationFeed): void {
  feed.listen((tags) => memoryOf(db).drop(tags))
}

export type Asked = { db: Db, headers: Record<string, string | string[] | undefined>, reply: Reply }
const NOTHING = Buffer.alloc(0)

/** The question of a request: its address in its channel, as it was written. */
export function questionOf(actor: { kind: string, channelId?: string }, request: { url: string }): string {
  return `${actor.channelId ?? ''} ${request.url}`
}

/** The `recall` of a route whose answers are kept here. */
export function recall(
  { db, actor, request, reply }:
  { db: Db, actor: Actor, request: { url: string } & Pick<Asked, 'headers'>, reply: Reply },
): Buffer | undefined {
  const answer = memoryOf(db).peek(questionOf(actor, request))
  return answer && give({ db, headers: request.headers, reply }, answer)
}

/**
 * Answers from memory, or makes it; 304 without a body when the asker has it already. What `make` throws is not kept.
 */
export async function answerFromMemory(asked: Asked, question: string, make: () => Promise<Made>): Promise<Buffer> {
  const answer = await memoryOf(asked.db).get(question, async () => {
    const { value, tags, maxAgeMs } = await make()
    const body = Buffer.from(JSON.stringify(value))
    const answer = { body, etag: `"${createHash('sha1').update(body).digest('base64url')}"` }
    const bytes = body.length + 2 * question.length + ENTRY_BYTES + TAG_BYTES * tags.length
    return { value: answer, bytes, tags, ...(maxAgeMs === undefined ? {} : { maxAgeMs }) }
  })
  return give(asked, answer)
}

function give({ headers, reply }: Asked, { body, etag }: Answer): Buffer {
  reply.header('etag', etag)
  reply.header('cache-control', 'public, max-age=1, must-revalidate')
  reply.header('vary', 'x-publishable-key')
  if (matches(headers['if-none-match'], etag)) {
    reply.status(304)
    return NOTHING
  }
  reply.header('content-type', 'application/json; charset=utf-8')
  return body
}

function matches(header: string | string[] | undefined, etag: string): boolean {
  return typeof header === 'string' && header.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
}
