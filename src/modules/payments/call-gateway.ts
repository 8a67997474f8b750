// Calls a gateway with a bound on the time. Nothing that a gateway does is a failure of ours: no answer, a broken one
// and a slow one all mean that we do not know, and not knowing is a state with a way out.
import { openTransaction, type Db } from '../../platform/db.ts'
import { counter } from '../../platform/metrics.ts'
import { noteCall } from './gateway-health.ts'
import { NotSent, type Gateway } from './gateway.ts'

const unclear = counter('gateway_unclear_total', 'Calls of a gateway that ended without a clear answer', ['gateway'])

export type Unclear = {
  kind: 'unknown'; detail: string
  /** This request never left us; one before it may have. */
  unsent?: boolean
}

/** The answer, or `{ kind: 'unknown' }`. Never rejects. `isCharge`: its answer shows whether the gateway is well. */
export async function callGateway<T extends { kind: string }>(
  db: Db, gateway: Gateway, call: (gateway: Gateway) => Promise<T>, { isCharge = false } = {},
): Promise<T | Unclear> {
  if (openTransaction()) throw new Error('A gateway may not be called inside a transaction')
  const began = performance.now()
  const answer = await within(gateway, call)
  // Its health is no reason to lose what it said.
  await noteCall(db, gateway, { answer, ms: performance.now() - began, isCharge }).catch(() => {})
  return answer
}

async function within<T extends { kind: string }>(
  gateway: Gateway, call: (gateway: Gateway) => Promise<T>,
): Promise<T | Unclear> {
  const { timeoutMs } = gateway.properties
  let timer: NodeJS.Timeout | undefined
  try {
    return await Promise.race([
      call(gateway),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
      }),
    ])
  } catch (error) {
    unclear.inc({ gateway: gateway.code })
    const detail = error instanceof Error ? error.message : String(error)
    return { kind: 'unknown', detail, ...error instanceof NotSent ? { unsent: true } : {} }
  } finally {
    clearTimeout(timer)
  }
}
