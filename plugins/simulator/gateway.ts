// The adapter of the gateway simulator, written as one for a real gateway would be.
import { spawn } from 'node:child_process'
import { createHmac, timingSafeEqual } from 'node:crypto'
import type {
  ChargeOutcome, Gateway, OperationOutcome, OperationRequest, WebhookFacts,
} from '../../src/modules/payments/gateway.ts'

export type SimulatorOptions = { url: string; secret?: string }

/** A gateway that speaks to the simulator at `url`. */
export function simulatorGateway({ url, secret = 'simulator-secret' }: SimulatorOptions): Gateway {
  const send = async (path: string, body?: unknown): Promise<{ status: number; body: any }> => {
    const answer = await fetch(url + path, body === undefined ? {} : {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
    })
    return { status: answer.status, body: await answer.json() }
  }
  const operate = (
    kind: 'capture' | 'refund' | 'void'
  ) => async (request: OperationRequest): Promise<OperationOutcome> => {
    const { status, body } = await send('/operations', { ...request, kind })
    if (status === 200) return { kind: 'done', reference: body.key }
    return status === 402 ? { kind: 'failed', reason: body.error } : { kind: 'unknown', detail: `status ${status}` }
  }
  return {
    code: 'simulator',
    properties: { keyLifetimeHours: 24, lookUp: true, partialCapture: true, currencies: null },
    async charge({ key, amountMinor, currency, capture, data }) {
      return read(await send('/charges', { key, amountMinor, currency, capture, fault: faultOf(data) }))
    },
    async lookUp(key) {
      const answer = await send(`/charges/${key}`)
      return answer.status === 404 ? { kind: 'absent' } : read(answer)
    },
    capture: operate('capture'), refund: operate('refund'), void: operate('void'),
    readWebhook: (raw, headers) => readWebhook(raw, headers, secret),
  }
}

/** Test payments choose their fault as test cards do: by a token `fault:decline`, or plainly. */
function faultOf(data: Record<string, unknown>): string | undefined {
  if (typeof data['fault'] === 'string') return data['fault']
  return typeof data['token'] === 'string' && data['token'].startsWith('fault:') ? data['token'].slice(6) : undefined
}

function read({ status, body }: { status: number; body: any }): ChargeOutcome {
  if (status >= 500 || status === 409) return { kind: 'unknown', detail: body.error ?? `status ${status}` }
  switch (body.state) {
    case 'captured': case 'authorized': return {
      kind: body.state, reference: body.reference, amountMinor: body.amountMinor, currency: body.currency,
    }
    case 'requires_action': return { kind: 'action', reference: body.reference, url: body.url }
    case 'declined': return { kind: 'declined', reference: body.reference, reason: body.reason }
    case 'voided': return { kind: 'voided', reference: body.reference }
    default: return { kind: 'unknown', detail: `state ${body.state}` }
  }
}

// A message older than this may be a replay.
const TOLERANCE_SECONDS = 300

function readWebhook(raw: Buffer, headers: Record<string, string | undefined>, secret: string): WebhookFacts | null {
  const timestamp = headers['x-simulator-timestamp'] ?? ''
  const given = Buffer.from(headers['x-simulator-signature'] ?? '', 'hex')
  const wanted = createHmac('sha256', secret).update(`${timestamp}.`).update(raw).digest()
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return null
  if (!(Math.abs(Date.now() / 1_000 - Number(timestamp)) <= TOLERANCE_SECONDS)) return null
  const { eventId, kind, reference, amountMinor, currency } = JSON.parse(raw.toString('utf8'))
  return { eventId, kind, reference, amountMinor, currency }
}

export type RunningSimulator = { url: string; stop(): Promise<void> }

/** Starts the simulator as a process of its own, which ends with ours. */
export async function startSimulator(
  options: { dataDir: string; webhookUrl?: string; secret?: string },
): Promise<RunningSimulator> {
  const child = spawn(process.execPath, [
    `${import.meta.dirname}/server.ts`, '--data', options.dataDir, ...(
      options.webhookUrl ? ['--webhook', options.webhookUrl] : []
    ),
    ...(options.secret ? ['--secret', options.secret] : []),
  ], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (text: Buffer) => resolve(text.toString().trim().split(' ')[1]!))
    child.once('error', reject)
    child.once(
      'exit', (code) => reject(new Error(`The gateway simulator ended with status ${code} before it was ready`))
    )
  })
  return {
    url,
    async stop() {
      child.stdin.end()
      child.kill()
      await ended
    },
  }
}
