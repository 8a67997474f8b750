// Answers shoppers from memory: the ready bytes of each (channel, question), dropped by tags when what they show
// changes. An answer is made once however many ask (single flight), is kept within a bound, and lives a minute at most
// even if no change was ever heard of. Nothing here belongs to a person, so shared caches may keep an answer for its
// second, too.

import { createHash } from 'node:crypto'
import { TaggedCache, type InvalidationFeed } from '../../platform/cache.ts'
import type { Actor, Context, Db } from '../../platform/db.ts'
import { OTHER_SITES, ReadyAnswer } from '../../platform/http.ts'

type Answer = { fresh: ReadyAnswer, unchanged: ReadyAnswer, etag: string }
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

type Request = { url: string, headers: Record<string, string | string[] | undefined> }

/** The question of a request: its address in its channel, as it was written. */
function questionOf(actor: Actor, { url }: Request): string {
  return `${actor.kind === 'shopper' ? actor.channelId : ''} ${url}`
}

/** The `recall` of a route whose answers are kept here. */
export function recall(
  { db, actor, request }: { db: Db, actor: Actor, request: Request },
): ReadyAnswer | undefined {
  const answer = memoryOf(db).peek(questionOf(actor, request))
  return answer && choose(request, answer)
}

/**
 * Answers from memory, or makes it; 304 without a body when the asker has it already. What `make` throws is not kept.
 */
export async function answerFromMemory(
  { db, context, request }: { db: Db, context: Context, request: Request }, make: () => Promise<Made>,
): Promise<ReadyAnswer> {
  const question = questionOf(context.actor, request)
  const answer = await memoryOf(db).get(question, async () => {
    const { value, tags, maxAgeMs } = await make()
    const body = Buffer.from(JSON.stringify(value))
    const bytes = body.length + 2 * question.length + ENTRY_BYTES + TAG_BYTES * tags.length
    return { value: answerOf(body), bytes, tags, ...(maxAgeMs === undefined ? {} : { maxAgeMs }) }
  })
  return choose(request, answer)
}

function answerOf(body: Buffer): Answer {
  const etag = `"${createHash('sha1').update(body).digest('base64url')}"`
  const headers: (readonly [string, string])[] = [
    ['etag', etag], ['cache-control', 'public, max-age=1, must-revalidate'], ['vary', 'x-publishable-key'],
    ['x-content-type-options', 'nosniff'], ...OTHER_SITES,
  ]
  const ofBody: typeof headers = [
    ['content-type', 'application/json; charset=utf-8'], ['content-length', String(body.length)],
  ]
  return {
    fresh: new ReadyAnswer(200, [...headers, ...ofBody], body), unchanged: new ReadyAnswer(304, headers, NOTHING), etag,
  }
}
const NOTHING = Buffer.alloc(0)

function choose({ headers }: Request, { fresh, unchanged, etag }: Answer): ReadyAnswer {
  const known = headers['if-none-match']
  if (typeof known !== 'string') return fresh
  return known.split(',').some((one) => one.trim().replace(/^W\//, '') === etag) ? unchanged : fresh
}
