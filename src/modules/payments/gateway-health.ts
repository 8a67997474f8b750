// Whether a gateway is worth asking while there is another one. Each process watches its own calls (noting one costs no
// write); what it concludes, the circuit, is a row that every process reads with a statement that it sends anyway. An
// open circuit is probed by a look-up, which costs no shopper anything; then one attempt at a time is let through, and
// a good one closes it. It advises and forbids nothing: the only gateway of a method is asked however it feels, since
// no answer of it can do harm.
import { Type } from 'typebox'
import { sql, systemContext, type Conn, type Db, type Tx } from '../../platform/db.ts'
import { publish } from '../../platform/events.ts'
import { counter } from '../../platform/metrics.ts'
import type { Gateway } from './gateway.ts'
import { PaymentAlert } from './payments.ts'

// Five calls are enough to see that something is wrong, and half of twenty in a minute is more than any bank's mood.
const WINDOW_MS = 60_000
const WINDOW_CALLS = 20
const ENOUGH_CALLS = 5
const BAD_SHARE = 0.5
const SLOW_MS = 5_000                 // shoppers leave before that
const PROBE_SECONDS = 30              // longer than a probe takes

const CircuitState = Type.Enum(['open', 'half_open'])
export type Circuits = Readonly<Record<string, 'open' | 'half_open'>>

const calls = counter('gateway_calls_total', 'Calls of a gateway, by how they ended', ['gateway', 'ended'])
const seconds = counter('gateway_call_seconds_total', 'Time spent on calls of a gateway', ['gateway'])
const opened = counter('gateway_circuit_opened_total', 'How often a gateway was found to be ill', ['gateway'])

type Health = { calls: { at: number; bad: boolean }[]; circuit: 'open' | 'half_open' | 'closed' }
const healths = new WeakMap<Gateway, Health>()

function healthOf(gateway: Gateway): Health {
  let health = healths.get(gateway)
  if (!health) healths.set(gateway, (health = { calls: [], circuit: 'closed' }))
  return health
}

export type Answered = { kind: string; detail?: string; technical?: boolean; reason?: string }

/** What is wrong with an answer, if anything. One that came too late counts as none. */
function complaintOf({ properties: { timeoutMs } }: Gateway, answer: Answered, ms: number): string | undefined {
  if (answer.kind === 'unknown') return answer.detail ?? 'no clear answer'
  if (answer.technical) return answer.reason ?? 'it refused for technical reasons'
  return ms >= Math.min(SLOW_MS, timeoutMs / 2) ? `it took ${Math.round(ms)} ms to answer` : undefined
}

/** Notes how a call ended; opens or closes the circuit when that is what it means. */
export async function noteCall(
  db: Db, gateway: Gateway, { answer, ms, isCharge }: { answer: Answered; ms: number; isCharge: boolean },
): Promise<void> {
  const health = healthOf(gateway)
  const complaint = complaintOf(gateway, answer, ms)
  calls.inc({ gateway: gateway.code, ended: complaint === undefined ? 'well' : 'badly' })
  seconds.inc({ gateway: gateway.code }, ms / 1_000)
  const now = performance.now()
  health.calls.push({ at: now, bad: complaint !== undefined })
  health.calls = health.calls.slice(-WINDOW_CALLS).filter(({ at }) => now - at < WINDOW_MS)
  if (complaint === undefined) {
    if (isCharge && health.circuit !== 'closed') await close(db, gateway)
  } else if (health.circuit === 'half_open' || (health.circuit === 'closed' && isIll(health))) {
    await open(db, gateway, complaint)
  }
}

const isIll = ({ calls: noted }: Health): boolean =>
  noted.length >= ENOUGH_CALLS && noted.filter(({ bad }) => bad).length >= BAD_SHARE * noted.length

function become(gateway: Gateway, circuit: Health['circuit']): void {
  healths.set(gateway, { calls: [], circuit })
}

/** People hear of it when it was well for ten minutes before: not of each time that it comes and goes. */
async function open(db: Db, gateway: Gateway, reason: string): Promise<void> {
  become(gateway, 'open')
  opened.inc({ gateway: gateway.code })
  await db.transaction(systemContext(), async (tx) => {
    const { times } = await tx.one(Type.Object({ times: Type.Integer() }), sql`
      insert into payments.circuit (gateway, state, reason, try_at)
      values (${gateway.code}, 'open', ${reason.slice(0, 500)}, now() + interval '15 seconds')
      on conflict (gateway) do update set state = 'open', reason = excluded.reason, opened_at = now(),
        times = case when circuit.opened_at > now() - interval '10 minutes' then circuit.times + 1 else 1 end,
        try_at = now() + make_interval(secs => least(300, 15 * power(2, least(10,
          case when circuit.opened_at > now() - interval '10 minutes' then circuit.times else 0 end))))
      returning times`)
    if (times > 1) return
    await publish(tx, PaymentAlert, { paymentId: null, orderId: null, reason:
      `the gateway ${gateway.code} is not well, and others are asked before it: ${reason}`.slice(0, 500) })
  })
}

async function close(db: Db, gateway: Gateway): Promise<void> {
  become(gateway, 'closed')
  await db.run(sql`update payments.circuit set state = 'closed' where gateway = ${gateway.code}`)
}

/** The circuits that are not closed, as part of a statement: `{ gateway: state }`. */
export const circuitsNow = sql`(select coalesce(jsonb_object_agg(gateway, state), '{}')
  from payments.circuit where state <> 'closed')`
export const Circuits = Type.Record(Type.String(), CircuitState)

/** The same by itself. */
export async function readCircuits(conn: Conn): Promise<Circuits> {
  return (await conn.one(Type.Object({ circuits: Circuits }), sql`select ${circuitsNow} as circuits`)).circuits
}

/**
 * Of several gateways the first that is well, or whose turn it is to be tried again; if none is, the first of all. Its
 * circuit, as other processes left it, is kept in mind for the answer.
 */
export async function chooseWell(
  tx: Tx, gateways: readonly Gateway[], circuits: Circuits,
): Promise<Gateway | undefined> {
  for (const gateway of gateways) {
    const circuit = circuits[gateway.code] ?? 'closed'
    if (healthOf(gateway).circuit !== circuit) become(gateway, circuit)
  }
  if (gateways.length < 2) return gateways[0]
  for (const gateway of gateways) {
    const circuit = circuits[gateway.code]
    if (!circuit || (circuit === 'half_open' && await letThrough(tx, gateway))) return gateway
  }
  return gateways[0]
}

// Whoever moves the time has the turn: one attempt, in whichever process.
async function letThrough(tx: Tx, { code }: Gateway): Promise<boolean> {
  return await tx.run(sql`update payments.circuit set try_at = now() + make_interval(secs => ${PROBE_SECONDS})
    where gateway = ${code} and state = 'half_open' and try_at <= now()`) > 0
}

const Due = Type.Object({ gateway: Type.String() })

/** The open circuits whose gateways are to be probed now, each given to one caller. */
export function claimProbes(db: Db): Promise<{ gateway: string }[]> {
  return db.many(Due, sql`update payments.circuit set try_at = now() + make_interval(secs => ${PROBE_SECONDS})
    where state = 'open' and try_at <= now() returning gateway`)
}

/** A gateway answered its probe: attempts are let through again, one at a time. */
export async function halfOpen(db: Db, code: string): Promise<void> {
  await db.run(sql`update payments.circuit set state = 'half_open', try_at = now()
    where gateway = ${code} and state = 'open'`)
}
