// The limit of what the database decides: the statements that the shop sends for one scenario, sent by a bare driver in
// the same trips, without HTTP, validation or any thought. Each round is a new one: ids that were made for the noted
// run are made anew, and its variants are others, so that the rows that are locked are spread as in the real run.
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { newId } from '../src/platform/id.ts'
import type { Noted } from './note-statements.ts'

export type Replay = {
  /** Sent once by each worker before it begins; ids made there are those of all its rounds (its cart, its order). */
  before: Noted[]
  /** Each worker sends one after the other, and begins again. */
  rounds: Noted[][]
  /** Ids that existed before and stay (the channel, methods); of these, variants are replaced all the same. */
  known: ReadonlySet<string>
  variants: ReadonlySet<string>
  pickVariant: () => string
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** Opens `workers` connections and gives `measure` the round of each. */
export async function withDriver<T>(
  url: string, workers: number, replay: Replay, measure: (round: (worker: number) => Promise<void>) => Promise<T>,
): Promise<T> {
  const own = await Promise.all(Array.from({ length: workers }, () => worker(url, replay)))
  try {
    return await measure((index) => own[index]!.round())
  } finally {
    await Promise.all(own.map(({ client }) => client.end()))
  }
}

async function worker(url: string, replay: Replay) {
  const client = new pg.Client(
    { connectionString: url, options: '-c search_path= -c timezone=UTC', pipeline: true } as pg.ClientConfig
  )
  await client.connect()
  const made: Made = { ids: new Map(), bytes: new Map() }
  await send(client, tripsOf(replay.before), renewal(replay, made))
  const rounds = replay.rounds.map(tripsOf)
  let count = 0
  const round = (): Promise<void> => (
    send(client, rounds[count++ % rounds.length]!,
      renewal(replay, { ids: new Map(made.ids), bytes: new Map(made.bytes) }))
  )
  return { client, round }
}

const tripsOf = (notes: Noted[]): Noted[][] => [...Map.groupBy(notes, ({ trip }) => trip).values()]

async function send(client: pg.Client, trips: Noted[][], renew: (value: unknown) => unknown): Promise<void> {
  const { stream } = (client as unknown as { connection: { stream: import('node:net').Socket } }).connection
  for (const trip of trips) {
    stream.cork()
    const answers = trip.map(({ text, name, values }) =>
      client.query({ text, ...name ? { name } : {}, values: values.map(renew) } as pg.QueryConfig))
    stream.uncork()
    await Promise.all(answers)
  }
}

type Made = { ids: Map<string, string>; bytes: Map<string, Buffer> }

function renewal({ known, variants, pickVariant }: Replay, { ids, bytes }: Made): (value: unknown) => unknown {
  const replaced = (id: string): string => {
    const bought = variants.has(id)
    if (known.has(id) && !bought) return id
    let other = ids.get(id)
    if (!other) ids.set(id, (other = bought ? pickVariant() : newId()))
    return other
  }
  const renew = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replaceAll(UUID, replaced)
    if (Array.isArray(value)) return value.map(renew)
    if (typeof value !== 'object' || value === null || !('bytes' in value)) return value
    const hex = String(value.bytes)
    let other = bytes.get(hex)
    if (!other) bytes.set(hex, (other = randomBytes(hex.length / 2)))
    return other
  }
  return renew
}
