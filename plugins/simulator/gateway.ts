// The adapter of the gateway simulator, written as one for a real gateway would be.
import { spawn } from 'node:child_process'
import { createHmac, timingSafeEqual } from 'node:crypto'
import {
  NotSent, type Absent, type ChargeOutcome, type Gateway, type OperationOutcome, type OperationRequest,
  type WebhookFacts,
} from '../../src/modules/payments/gateway.ts'

const DEFAULT_SECRET = 'simulator-secret'

export type BankAddress = { url: string; secret: string }
export type SimulatorOptions = {
  /** Another name, for shops with two of them. */
  code?: string
  url: string; secret?: string; properties?: Partial<Gateway['properties']>
  /** Asked when nobody listens at `url` any more: where the bank is now. */
  findAgain?: () => Promise<BankAddress | undefined>
}

/** A gateway that speaks to the simulator at `url`. `properties`: as if it were a gateway with other habits. */
export function simulatorGateway(options: SimulatorOptions): Gateway {
  let { url, secret = DEFAULT_SECRET } = options
  const own: Gateway['properties'] = {
    keyLifetimeHours: 24, errorsCachedUnderKey: false, lookUp: 'key', partialCapture: true, multipleCaptures: true,
    currencies: null, limits: null, entry: ['redirect'], timeoutMs: 10_000, byHand: false, ...options.properties,
  }
  const ask = (path: string, body: unknown): Promise<Response> => fetch(url + path, {
    signal: AbortSignal.timeout(own.timeoutMs), ...(body === undefined ? {} : {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
    }),
  })
  const send = async (path: string, body?: unknown): Promise<Answered> => {
    const answer = await ask(path, body).catch(async (error: Error & { cause?: { code?: string } }) => {
      // Refused means that nothing was sent: asking elsewhere does nothing twice.
      if (error.cause?.code !== 'ECONNREFUSED') throw error
      const found = await options.findAgain?.()
      if (!found) throw new NotSent(`nobody listens at ${url}`)
      ;({ url, secret } = found)
      return ask(path, body)
    })
    return { status: answer.status, body: await answer.json() }
  }
  const operate = (kind: 'capture' | 'refund' | 'void') => async (request: OperationRequest) =>
    readOperation(await send('/operations', { ...request, kind }))
  return {
    code: options.code ?? 'simulator',
    account: 'sim_account',
    properties: own,
    charge: async ({ data, ...request }) => readCharge(await send('/charges', { ...request, fault: faultOf(data) })),
    async lookUp({ key }): Promise<ChargeOutcome | Absent> {
      const answer = await send(`/charges/${key}`)
      return answer.status === 404 ? { kind: 'absent' } : readCharge(answer)
    },
    async lookUpOperation({ key }): Promise<OperationOutcome | Absent> {
      const answer = await send(`/operations/${key}`)
      return answer.status === 404 ? { kind: 'absent' } : readOperation(answer)
    },
    capture: operate('capture'), refund: operate('refund'), void: operate('void'),
    readWebhook: (raw, headers) => readWebhook(raw, headers, secret),
  }
}

type Answered = { status: number; body: any }

/** Test payments choose their faults as test cards do: by a token `fault:decline`, or plainly. */
function faultOf({ fault, token }: Record<string, unknown>): string | undefined {
  if (typeof fault === 'string') return fault
  return typeof token === 'string' && token.startsWith('fault:') ? token.slice(6) : undefined
}

function readCharge({ status, body }: Answered): ChargeOutcome {
  if (status !== 200 && status !== 402) return { kind: 'unknown', detail: `status ${status}: ${body.error}` }
  const { reference, amountMinor, capturedMinor, feeMinor, currency } = body
  switch (body.state) {
    case 'authorized': return { kind: 'authorized', reference, amountMinor, currency }
    case 'captured': return { kind: 'captured', reference, amountMinor, capturedMinor, feeMinor, currency }
    case 'requires_action': return { kind: 'action', reference, url: body.url }
    case 'declined': return { kind: 'declined', reference, reason: body.reason, technical: body.technical === true }
    case 'voided': return { kind: 'voided', reference }
    default: return { kind: 'unknown', detail: `state ${body.state}` }
  }
}

function readOperation({ status, body }: Answered): OperationOutcome {
  if (status === 200) return { kind: 'done', reference: body.key, feeMinor: body.feeMinor }
  return status === 402 ? { kind: 'failed', reason: body.error }
    : { kind: 'unknown', detail: `status ${status}: ${body.error}` }
}

// A message older than this may be a replay.
const TOLERANCE_SECONDS = 300

function readWebhook(raw: Buffer, headers: Record<string, string | undefined>, secret: string): WebhookFacts | null {
  const timestamp = headers['x-simulator-timestamp'] ?? ''
  const given = Buffer.from(headers['x-simulator-signature'] ?? '', 'hex')
  const wanted = createHmac('sha256', secret).update(`${timestamp}.`).update(raw).digest()
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return null
  if (!(Math.abs(Date.now() / 1_000 - Number(timestamp)) <= TOLERANCE_SECONDS)) return null
  const { eventId, about, key, reference, account, amountMinor, currency } = JSON.parse(raw.toString('utf8'))
  return { eventId, about, key, reference, account, amountMinor, currency }
}

export type RunningSimulator = { url: string; stop(): Promise<void> }

/**
 * Starts the simulator as a process of its own, which ends with ours. `whileMs` is how long it is late where a fault
 * makes it late.
 */
export async function startSimulator(
  { dataDir, webhookUrl, secret = DEFAULT_SECRET, whileMs = 2_000 }:
    { dataDir: string; webhookUrl?: string; secret?: string; whileMs?: number },
): Promise<RunningSimulator> {
  const child = spawn(process.execPath, [
    `${import.meta.dirname}/server.ts`, '--data', dataDir, '--while', String(whileMs),
    ...(webhookUrl ? ['--webhook', webhookUrl] : []),
  ], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, SIMULATOR_SECRET: secret } })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (text: Buffer) => resolve(text.toString().trim().split(' ')[1]!))
    child.once('error', reject)
    child.once('exit', (code) => reject(
      new Error(`The gateway simulator ended with status ${code} before it was ready`)))
  })
  return {
    url,
    async stop() {
      child.kill()
      await ended
    },
  }
}
