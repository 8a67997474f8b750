// Calls a gateway with a bound on the time. Nothing that a gateway does is a failure of ours: no answer, a broken one
// and a slow one all mean that we do not know, and not knowing is a state with a way out.
import { openTransaction } from '../../platform/db.ts'
import { counter } from '../../platform/metrics.ts'
import type { Gateway } from './gateway.ts'

const unclear = counter('gateway_unclear_total', 'Calls of a gateway that ended without a clear answer', ['gateway'])

/** The answer, or `{ kind: 'unknown' }`. Never rejects. */
export async function callGateway<T extends { kind: string }>(
  gateway: Gateway, call: (gateway: Gateway) => Promise<T>,
): Promise<T | { kind: 'unknown'; detail: string }> {
  if (openTransaction()) throw new Error('A gateway may not be called inside a transaction')
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
    return { kind: 'unknown', detail: error instanceof Error ? error.message : String(error) }
  } finally {
    clearTimeout(timer)
  }
}
