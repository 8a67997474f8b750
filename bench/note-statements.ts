// Loaded into a server with --import: notes what it sends to PostgreSQL while its parent asks for it, in trips:
// statements that were sent without waiting for an answer in between share one. The bench replays them from a bare
// driver loop.
import pg from 'pg'

export type Noted = { trip: number; text: string; name: string | undefined; values: unknown[] }

let notes: Noted[] | undefined
const trips = new WeakMap<pg.Client, { trip: number; open: number }>()
let lastTrip = 0

type Send = (this: pg.Client, query: any, ...rest: any[]) => any
const send = pg.Client.prototype.query as (this: pg.Client, query: any, ...rest: any[]) => any
pg.Client.prototype.query = function noted(this: pg.Client, query: any, ...rest: any[]) {
  if (!notes || typeof query !== 'object' || typeof query.text !== 'string') return send.call(this, query, ...rest)
  const state = trips.get(this) ?? { trip: 0, open: 0 }
  trips.set(this, state)
  if (state.open++ === 0) state.trip = ++lastTrip
  const values = (query.values ?? []) as unknown[]
  notes.push({ trip: state.trip, text: query.text, name: query.name, values: values.map(plain) })
  const done = (): void => { state.open-- }
  // The pool asks with a callback, a transaction for a promise.
  const given = rest.map((one) => (typeof one !== 'function' ? one : (...answer: unknown[]) => {
    done()
    one(...answer)
  }))
  const answer = send.call(this, query, ...given)
  if (typeof answer?.then === 'function') answer.then(done, done)
  return answer
} as never

// What travels between processes is JSON: bytes are marked.
const plain = (value: unknown): unknown => (Buffer.isBuffer(value) ? { bytes: value.toString('hex') } : value)

process.on('message', (message: { note?: 'begin' | 'end' }) => {
  if (message.note === 'begin') notes = []
  if (message.note !== 'end') return
  process.send!({ notes })
  notes = undefined
})
