// Calls a gateway with a bound on the time. Nothing that a gateway does is a failure of ours: no answer, a broken one
// and a slow one all mean that we do not know, and not knowing is a state with a way out.
import { openTransaction } from '../../platform/db.ts'
import { counter } from '../../platform/metrics.ts'
import { GATEWAY_TIMEOUT_MS } from './payments.ts'

const unclear = counter('gateway_unclear_total', 'Calls of a gateway that ended without a clear answer')

/** The answer, or `{ kind: 'unknown' }`. Never rejects. */
export async function callGateway<T extends { kind: string }>(call: () => Promise<T>): Promise<T | {
  kind: 'unknown'; detail: string,
}> {
  if (openTransaction()) throw new Error('A gateway may not be called inside a transaction')
  let timer: NodeJS.Timeout | undefined
  try {
    return await Promise.race([
      call(),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer within ${GATEWAY_TIMEOUT_MS} ms`)), GATEWAY_TIMEOUT_MS)
      })
    ])
  } catch (error) {
    unclear.inc()
    return { kind: 'unknown', detail: error instanceof Error ? error.message : String(error) }
  } finally {
    clearTimeout(timer)
  }
}
