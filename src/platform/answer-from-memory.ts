// Answers shoppers from memory: the ready bytes of each (channel, question), plain and compressed, dropped by tags when
// what they show changes. An answer is made once however many ask (single flight), is kept within a bound, and lives a
// minute at most even if no change was ever heard of. Nothing here belongs to a person, so shared caches may keep an
// answer for its second, too; a CDN that is told of changes (plugins hear them) may keep it for longer.
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { TaggedCache, type InvalidationFeed } from './cache.ts'
import type { Actor, Context, Db } from './db.ts'
import { OTHER_SITES } from './http-edges.ts'
import { provided } from './provide.ts'
import { ReadyAnswer } from './ready-answer.ts'
import { SAFE_HEADERS } from './safe-headers.ts'

export type Made = {
  value: unknown
  /** What it shows. */
  tags: readonly string[]
  maxAgeMs?: number
  /** Where the thing is now: answered as 301. */
  location?: string
}
export type MemoryOptions = {
  /** What the answers of this process may weigh together. */
  maxBytes: number
  /** How long a CDN may keep an answer, which it drops sooner when it is told; 0: no longer than a browser. */
  cdnSeconds: number
}
type Memory = MemoryOptions & { cache: TaggedCache<Answer> }

const memory = provided<Memory>('memory of answers')

/** Opens the memory of this process and lets changes reach it. Call once when it starts. */
export function openMemory(db: Db, feed: InvalidationFeed, options: MemoryOptions): void {
  const cache = new TaggedCache<Answer>(options.maxBytes)
  memory.set(db, { ...options, cache })
  feed.listen((tags) => cache.drop(tags))
}

type Request = { url: string; headers: Record<string, string | string[] | undefined> }

/** The question of a request: its address in its channel, as it was written. */
function questionOf(actor: Actor, { url }: Request): string {
  return `${actor.kind === 'shopper' ? actor.channelId : ''} ${url}`
}

/** The `recall` of a route whose answers are kept here. */
export function recall(
  { db, actor, request }: { db: Db; actor: Actor; request: Request },
): ReadyAnswer | undefined {
  return memory.of(db).cache.peek(questionOf(actor, request))?.choose(request)
}

/**
 * Answers from memory, or makes it; 304 without a body when the asker has it already. What `make` throws is not kept.
 */
export async function answerFromMemory(
  { db, context, request }: { db: Db; context: Context; request: Request }, make: () => Promise<Made>,
): Promise<ReadyAnswer> {
  const question = questionOf(context.actor, request)
  const { cache, cdnSeconds } = memory.of(db)
  const answer = await cache.get(question, async () => {
    const { value, tags, maxAgeMs, location } = await make()
    const body = Buffer.from(JSON.stringify(value))
    const cdn = cdnSeconds > 0 ? cdnHeaders(tags, cdnSeconds) : []
    const made = new Answer(body, location === undefined ? cdn : [...cdn, ['location', location]])
    return { value: made, bytes: weigh(question, body, tags), tags, ...(maxAgeMs === undefined ? {} : { maxAgeMs }) }
  })
  return answer.choose(request) ?? answer.compress(encodingOf(request) as Compression)
}

// An entry beside its body: objects, map slots, a tag's set. The compressed copies, made when somebody asks for them,
// come to two fifths of JSON at most, and are counted before they are there.
const ENTRY_BYTES = 800
const TAG_BYTES = 150
function weigh(question: string, body: Buffer, tags: readonly string[]): number {
  return Math.round(body.length * 1.4) + 2 * question.length + ENTRY_BYTES + TAG_BYTES * tags.length
}

type Headers = readonly (readonly [string, string])[]

/** RFC 9213 and its forerunner say how long; the tags are surrogate keys under the two names that CDNs know. */
function cdnHeaders(tags: readonly string[], seconds: number): Headers {
  const policy = `max-age=${seconds}, stale-while-revalidate=10, stale-if-error=86400`
  return [
    ['cdn-cache-control', policy], ['surrogate-control', policy],
    ['surrogate-key', tags.join(' ')], ['cache-tag', tags.join(',')],
  ]
}

type Compression = 'br' | 'gzip'
type Encoding = Compression | 'identity'
const brotli = promisify(brotliCompress)
const zip = promisify(gzip)

// Made once and sent a thousand times: worth more than the library's default for streams, and still under a
// millisecond. Below a kilobyte the headers weigh more than what is saved.
const compressors: Record<Compression, (body: Buffer) => Promise<Buffer>> = {
  br: (body) => brotli(body, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
  }),
  gzip: (body) => zip(body, { level: 6 }),
}
const WORTH_COMPRESSING_BYTES = 1_024

/** One answer in all its forms. */
class Answer {
  readonly #body: Buffer
  readonly #headers: Headers
  readonly #etag: string
  readonly #plain: ReadyAnswer
  readonly #unchanged: ReadyAnswer
  readonly #compressed = new Map<Compression, ReadyAnswer>()
  readonly #compressing = new Map<Compression, Promise<ReadyAnswer>>()

  constructor(body: Buffer, headers: Headers) {
    // Weak: it names what is said, in whatever encoding.
    this.#etag = `"${createHash('sha1').update(body).digest('base64url')}"`
    this.#headers = [
      ['etag', `W/${this.#etag}`], ['cache-control', 'public, max-age=1, must-revalidate'],
      ['vary', 'accept-encoding, x-publishable-key'], ...SAFE_HEADERS, ...OTHER_SITES,
      ...headers,
    ]
    this.#body = body
    this.#plain = this.#fresh(body)
    this.#unchanged = new ReadyAnswer(304, this.#headers, Buffer.alloc(0))
  }

  #fresh(body: Buffer, encoding?: Compression): ReadyAnswer {
    const moved = this.#headers.some(([name]) => name === 'location')
    return new ReadyAnswer(moved ? 301 : 200, [
      ...this.#headers, ['content-type', 'application/json; charset=utf-8'], ['content-length', String(body.length)],
      ...(encoding ? [['content-encoding', encoding] as const] : []),
    ], body)
  }

  /** The form that suits the request; undefined when it has to be compressed first. */
  choose(request: Request): ReadyAnswer | undefined {
    const known = request.headers['if-none-match']
    if (typeof known === 'string' && known.split(',').some((one) => one.trim().replace(/^W\//, '') === this.#etag)) {
      return this.#unchanged
    }
    const encoding = encodingOf(request)
    if (encoding === 'identity' || this.#body.length < WORTH_COMPRESSING_BYTES) return this.#plain
    return this.#compressed.get(encoding)
  }

  /** Compresses once, however many ask. */
  compress(encoding: Compression): Promise<ReadyAnswer> {
    let running = this.#compressing.get(encoding)
    if (!running) {
      running = compressors[encoding](this.#body).then((body) => {
        const answer = this.#fresh(body, encoding)
        this.#compressed.set(encoding, answer)
        return answer
      })
      this.#compressing.set(encoding, running)
    }
    return running
  }
}

// Browsers send one of a few lines, which are read once.
const encodings = new Map<string, Encoding>()
const MAX_KNOWN_LINES = 100

function encodingOf({ headers }: Request): Encoding {
  const line = headers['accept-encoding']
  if (typeof line !== 'string') return 'identity'
  let encoding = encodings.get(line)
  if (!encoding) {
    encoding = bestEncoding(line)
    if (encodings.size < MAX_KNOWN_LINES) encodings.set(line, encoding)
  }
  return encoding
}

/** The best of ours that an Accept-Encoding line takes (RFC 9110, section 12.5.3): `;q=0` means that it does not. */
function bestEncoding(line: string): Encoding {
  const taken = new Map(line.toLowerCase().split(',').map((part) => {
    const [name = '', ...parameters] = part.split(';').map((one) => one.trim())
    const weight = parameters.find((one) => one.startsWith('q='))
    return [name, weight === undefined ? 1 : Number(weight.slice(2))] as const
  }))
  const takes = (name: Compression): boolean => (taken.get(name) ?? taken.get('*') ?? 0) > 0
  return takes('br') ? 'br' : takes('gzip') ? 'gzip' : 'identity'
}
