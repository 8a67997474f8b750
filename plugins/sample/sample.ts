// A gateway adapter to begin from: copy this folder, and change what is marked 1 to 6. It speaks to the simulated bank
// (plugins/simulator/server.ts) and keeps the whole contract (sample.test.ts). docs/add-a-gateway.md explains it.
import { createHmac, timingSafeEqual } from 'node:crypto'
import {
  NotSent, type Absent, type ChargeOutcome, type Gateway, type OperationKind, type OperationOutcome,
  type OperationRequest, type Plugin, type WebhookFacts,
} from '../../src/plugin.ts'

export type SampleOptions = { url: string; secret: string }

// 1. What is true of your gateway. Payments reads nothing else to decide what may be repeated, and when.
const properties: Gateway['properties'] = {
  keyLifetimeHours: 24, errorsCachedUnderKey: false, lookUp: 'key', partialCapture: true, multipleCaptures: true,
  currencies: null, limits: null, entry: ['redirect'], timeoutMs: 10_000, byHand: false,
}

export function sampleGateway({ url, secret }: SampleOptions): Gateway {
  // 2. One place that sends. It throws when there is no answer: then the outcome is unknown, and recovery asks again.
  // NotSent is for what certainly never left: another gateway may be asked.
  const send = async (path: string, body?: unknown): Promise<Answer> => {
    const answer = await fetch(url + path, {
      signal: AbortSignal.timeout(properties.timeoutMs),
      ...body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) },
    }).catch((error: Error & { cause?: { code?: string } }) => {
      throw error.cause?.code === 'ECONNREFUSED' ? new NotSent(`nobody listens at ${url}`) : error
    })
    return { status: answer.status, body: await answer.json() }
  }
  const operate = (kind: OperationKind) => async (request: OperationRequest): Promise<OperationOutcome> =>
    readOperation(await send('/operations', { ...request, kind }))
  return {
    code: 'sample',
    account: 'sim_account',
    properties,
    // 3. The key goes with every charge and operation, as whatever your gateway takes for its idempotency key.
    charge: async ({ key, amountMinor, currency, capture, data, returnUrl, cancelUrl }) => readCharge(
      await send('/charges', { key, amountMinor, currency, capture, fault: data['fault'], returnUrl, cancelUrl })),
    lookUp: async ({ key }) => orAbsent(await send(`/charges/${key}`), readCharge),
    lookUpOperation: async ({ key }) => orAbsent(await send(`/operations/${key}`), readOperation),
    capture: operate('capture'), refund: operate('refund'), void: operate('void'),
    readWebhook: (raw, headers) => readWebhook(raw, headers, secret),
  }
}

type Answer = { status: number; body: any }

const orAbsent = <T>(answer: Answer, read: (answer: Answer) => T): T | Absent =>
  answer.status === 404 ? { kind: 'absent' } : read(answer)

// 4. What an answer means. A refusal is `declined` only where the gateway says that nothing was charged (`technical`
// when that is no fault of the card: another gateway may do it); whatever you do not recognise is `unknown`.
function readCharge({ status, body }: Answer): ChargeOutcome {
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

function readOperation({ status, body }: Answer): OperationOutcome {
  if (status === 200) return { kind: 'done', reference: body.key, feeMinor: body.feeMinor }
  return status === 402 ? { kind: 'failed', reason: body.error } : { kind: 'unknown', detail: `status ${status}` }
}

const TOLERANCE_SECONDS = 300

// 5. A webhook: verified on the raw bytes before anything is read, and no older than a few minutes.
function readWebhook(raw: Buffer, headers: Record<string, string | undefined>, secret: string): WebhookFacts | null {
  const timestamp = headers['x-simulator-timestamp'] ?? ''
  const given = Buffer.from(headers['x-simulator-signature'] ?? '', 'hex')
  const wanted = createHmac('sha256', secret).update(`${timestamp}.`).update(raw).digest()
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return null
  if (!(Math.abs(Date.now() / 1_000 - Number(timestamp)) <= TOLERANCE_SECONDS)) return null
  const { eventId, about, key, reference, account, amountMinor, currency } = JSON.parse(raw.toString('utf8'))
  return { eventId, about, key, reference, account, amountMinor, currency }
}

/** 6. The plugin: a shop without the secrets does not start, and says which variable is missing. */
export function sample(): Plugin {
  return {
    name: 'sample',
    setup(kit) {
      const { SAMPLE_URL: url, SAMPLE_SECRET: secret } = process.env
      if (!url || !secret) throw new Error('The sample plugin needs SAMPLE_URL and SAMPLE_SECRET in the environment.')
      kit.addGateway(sampleGateway({ url, secret }))
    },
  }
}
