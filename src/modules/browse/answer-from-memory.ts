// Answers shoppers from memory: the ready bytes of each (channel, question), dropped by tags when what they show
// changes. An answer is made once however many ask (single flight), is kept within a bound, and lives a minute at most
// even if no change was ever heard of. Nothing here belongs to a person, so shared caches may keep an answer for its
// second, too.

import { createHash } from 'node:crypto'
import { TaggedCache, type InvalidationFeed } from '../../platform/cache.ts'
import type { Db } from '../../platform/db.ts'

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

export type Asked = { db: Db, headers: Record<string, string | undefined>, reply: Reply }

/**
 * Answers from memory, or makes it; 304 without a body when the asker has it already. What `make` throws is not kept.
 */
export async function answerFromMemory(
  asked: Asked, question: string, make: () => Promise<Made>,
): Promise<Buffer | undefined> {
  const { body, etag } = await memoryOf(asked.db).get(question, async () => {
    const { value, tags, maxAgeMs } = await make()
    const body = Buffer.from(JSON.stringify(value))
    const answer = { body, etag: `"${createHash('sha1').update(body).digest('base64url')}"` }
    const bytes = body.length + 2 * question.length + ENTRY_BYTES + TAG_BYTES * tags.length
    return { value: answer, bytes, tags, ...(maxAgeMs === undefined ? {} : { maxAgeMs }) }
  })
  asked.reply.header('etag', etag)
  asked.reply.header('cache-control', 'public, max-age=1, must-revalidate')
  asked.reply.header('vary', 'x-publishable-key')
  if (matches(asked.headers['if-none-match'], etag)) {
    asked.reply.status(304)
    return undefined
  }
  asked.reply.header('content-type', 'application/json; charset=utf-8')
  return body
}

function matches(header: string | undefined, etag: string): boolean {
  return header !== undefined && header.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
}
