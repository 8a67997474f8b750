// The limit of orders: the statements that the shop sends for one of them, sent by a bare driver in the same trips over
// as many connections, without HTTP, validation or any thought. Each round is a new order: ids that were made for the
// noted one are made anew, and its variants are others, so that the rows that are locked are spread as in the real run.
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { newId } from '../src/platform/id.ts'
import type { Noted } from './note-statements.ts'

/**
 * What a round replaces: each variant of the noted run by another; ids that existed before (the channel, methods) stay.
 */
export type Replay = { notes: Noted[]; known: ReadonlySet<string>; variants: string[]; pickVariant: () => string }

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** The driver loop over `connections` connections, to be run for as long as `measure` likes. */
export async function withDriver<T>(
  url: string, connections: number, replay: Replay, measure: (round: (worker: number) => Promise<void>) => Promise<T>,
): Promise<T> {
  const trips = [...Map.groupBy(replay.notes, ({ trip }) => trip).values()]
  const clients = await Promise.all(Array.from({ length: connections }, async () => {
    const client = new pg.Client(
      { connectionString: url, options: '-c search_path= -c timezone=UTC', pipeline: true } as pg.ClientConfig
    )
    await client.connect()
    return client
  }))
  try {
    return await measure(async (worker) => {
      const renew = renewal(replay)
      for (const trip of trips) {
        await Promise.all(trip.map(({ text, name, values }) =>
          clients[worker]!.query({ text, ...name ? { name } : {}, values: values.map(renew) } as pg.QueryConfig)))
      }
    })
  } finally {
    await Promise.all(clients.map((client) => client.end()))
  }
}

function renewal({ known, variants, pickVariant }: Replay): (value: unknown) => unknown {
  const fresh = new Map<string, string>()
  const bytes = new Map<string, Buffer>()
  const replaced = (id: string): string => {
    if (known.has(id) && !variants.includes(id)) return id
    let other = fresh.get(id)
    if (!other) fresh.set(id, (other = variants.includes(id) ? pickVariant() : newId()))
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
