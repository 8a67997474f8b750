// The gateway simulator: a process of its own with the habits of real gateways, the bad ones included. It serves the
// bank over HTTP, signs and sends webhooks, and does each fault that a request asks for. Started by the shop in demo
// mode, or by hand:
//   node plugins/simulator/server.ts --data FOLDER --port 0 --webhook http://127.0.0.1:8000/webhooks/simulator --orphan
import { createHmac, randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Bank, KeyReused, type BankOperation, type Charge, type ChargeState } from './bank.ts'
import { chargeFaults, operationFaults, type ChargeFault, type OperationFault } from './faults.ts'

const { values } = parseArgs({ options: {
  data: { type: 'string', default: '.kontor/simulator' }, port: { type: 'string', default: '0' },
  webhook: { type: 'string' }, orphan: { type: 'boolean', default: false },
  // How long "a while" is: shorter than the patience of an adapter, or longer, as one likes.
  while: { type: 'string', default: '2000' },
} })
const secret = process.env['SIMULATOR_SECRET'] ?? 'simulator-secret'
const account = 'sim_account'
const aWhileMs = Number(values.while)

mkdirSync(values.data, { recursive: true })
const bank = new Bank(join(values.data, 'bank.jsonl'))
let webhookUrl = values.webhook
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const has = (charge: Charge, fault: ChargeFault): boolean => charge.faults.includes(fault)

type Message = { about: 'charge' | 'operation' | 'dispute'; kind: string; eventId?: string }

async function sendWebhook(charge: Charge, { about, kind, eventId = randomUUID() }: Message): Promise<void> {
  if (!webhookUrl) return
  const { key, reference, currency } = charge
  const body = JSON.stringify({ eventId, about, kind, key, reference, account, currency, amountMinor: said(charge) })
  for (let attempt = 0; attempt < 5; attempt++) {
    const timestamp = String(Math.floor(Date.now() / 1_000))
    const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
    const answer = await fetch(webhookUrl, {
      method: 'POST', body, signal: AbortSignal.timeout(5_000), headers: {
        'content-type': 'application/json', 'x-simulator-timestamp': timestamp, 'x-simulator-signature': signature,
      },
    }).catch(() => undefined)
    if (answer?.ok) return
    await pause(200 * 2 ** attempt)
  }
}

/** Tells the shop how the charge stands now. */
async function announce(charge: Charge): Promise<void> {
  if (has(charge, 'webhook_never')) return
  if (has(charge, 'webhook_late')) await pause(aWhileMs)
  const states: ChargeState[] = charge.state === 'captured' ? ['authorized', 'captured'] : [charge.state]
  if (has(charge, 'webhook_reordered')) states.reverse()
  for (const state of states) {
    const message = { about: 'charge', kind: `charge.${state}`, eventId: randomUUID() } as const
    await sendWebhook(charge, message)
    if (has(charge, 'webhook_twice')) await sendWebhook(charge, message)
  }
  if (has(charge, 'dispute')) await sendWebhook(charge, { about: 'dispute', kind: 'charge.disputed' })
}

// Undefined breaks the connection.
type Answer = { status: number; body: unknown; headers?: Record<string, string> } | undefined

const said = (charge: Charge): number => charge.amountMinor + (has(charge, 'other_amount') ? 1 : 0)
const told = (charge: Charge): Answer => ({
  status: charge.state === 'declined' ? 402 : 200,
  body: { ...charge, amountMinor: said(charge), url: `${address()}/action/${charge.reference}` },
})

const broken = new Set<string>()
async function charge({ key, amountMinor, currency, capture, fault, returnUrl, cancelUrl }: any): Promise<Answer> {
  if (typeof key !== 'string' || !(Number.isSafeInteger(amountMinor) && amountMinor > 0)) {
    return { status: 400, body: { error: 'a key and an amount are needed' } }
  }
  const faults = typeof fault === 'string' ? fault.split(',').filter(Boolean) : []
  const unknown = faults.find((name) => !Object.hasOwn(chargeFaults, name))
  if (unknown !== undefined) {
    const reason = `"${unknown}" is no fault of the simulated bank; it knows ${Object.keys(chargeFaults).join(', ')}`
    return { status: 402, body: { state: 'declined', reference: `sim_${key}`, reason } }
  }
  if (faults.includes('drop_before_charge') && !broken.has(key)) return void broken.add(key)
  const known = bank.charges.has(key)
  ways.set(`sim_${key}`, { returnUrl, cancelUrl })
  if (known && faults.includes('key_expired')) return { status: 409, body: { error: 'the key is not known any more' } }
  const made = bank.charge(key, { amountMinor, currency, capture: capture === true, faults })
  // First, but a shop that does not take it keeps nobody waiting for the answer.
  if (!known && has(made, 'webhook_first')) await Promise.race([announce(made), pause(aWhileMs)])
  else if (!known) void announce(made)
  if (has(made, 'charge_then_500')) return { status: 500, body: { error: 'something broke after the charge' } }
  if (!known && (['charge_then_drop', 'look_up_later', 'key_expired'] as const).some((one) => has(made, one))) return
  if (!known && has(made, 'delay')) await pause(aWhileMs)
  return told(made)
}

function lookUp(key: string): Answer {
  const found = bank.charges.get(key)
  if (!found || (has(found, 'look_up_later') && Date.now() - found.at < aWhileMs)) {
    return { status: 404, body: { error: 'no such charge' } }
  }
  return { ...told(found)!, status: 200 }
}

const next: OperationFault[] = []
function operate({ key, reference, kind, amountMinor }: any): Answer {
  const fault = bank.operations.has(key) ? undefined : next.shift()
  if (fault === 'drop_before') return
  const refusal = fault === 'refuse' ? 'refused by the bank' : undefined
  const operation = bank.operate(key, { reference, kind, amountMinor }, refusal)
  const charge = bank.byReference.get(reference)
  if (charge && !has(charge, 'webhook_never')) {
    void sendWebhook(charge, { about: 'operation', kind: `operation.${kind}` })
  }
  if (fault === 'done_then_drop') return
  return fault === 'done_then_500' ? { status: 500, body: { error: 'something broke afterwards' } } : result(operation)
}
const result = (operation: BankOperation): Answer => ({ status: operation.error ? 402 : 200, body: operation })

/** Where shoppers go from the bank's page. Told with each request, since a bank that was killed has forgotten it. */
const ways = new Map<string, { returnUrl?: string; cancelUrl?: string }>()

const html = (text: string): string => `<!doctype html><html lang="en"><title>Simulated bank</title>
<meta name="viewport" content="width=device-width">
<body style="font:16px system-ui;max-width:28rem;margin:4rem auto;padding:0 1rem"><h1>Simulated bank</h1>${text}`
const question = html(`<p>Do you confirm this payment?</p><form method="post">
<button name="answer" value="yes">Yes, pay</button> <button name="answer" value="no">No</button>
<button name="answer" value="back">Back to the shop</button></form>`)

/** The shopper's answer, and the page to which it leads; who goes back has answered nothing. */
function answerQuestion(reference: string, text: string): Answer | string {
  const { returnUrl, cancelUrl } = ways.get(reference) ?? {}
  if (text.includes('answer=back')) return cancelUrl ? leadTo(cancelUrl) : question
  void announce(bank.answer(reference, text.includes('answer=yes'))!)
  return returnUrl ? leadTo(returnUrl) : html('<p>Thank you. You may close this page.</p>')
}
const leadTo = (location: string): Answer => ({ status: 303, body: '', headers: { location } })

async function route(method: string, path: string, text: string): Promise<Answer | string> {
  const [, first, second] = path.split('/')
  if (!first) return 'simulator'
  const known = first === 'action' && second !== undefined && bank.byReference.has(second)
  if (known && method === 'GET') return question
  if (known && method === 'POST') return answerQuestion(second, text)
  if (method === 'GET' && first === 'charges') {
    return second ? lookUp(second) : { status: 200, body: [...bank.charges.values()] }
  }
  if (method === 'GET' && first === 'operations') {
    const operation = bank.operations.get(second ?? '')
    return operation ? result(operation) : second ? { status: 404, body: { error: 'no such operation' } }
      : { status: 200, body: [...bank.operations.values()] }
  }
  if (method !== 'POST') return { status: 404, body: { error: 'no such address' } }
  const body = JSON.parse(text || '{}')
  switch (first) {
    case 'charges': return charge(body)
    case 'operations': return operate(body)
    case 'webhook-url': return { status: 200, body: { url: webhookUrl = body.url } }
    case 'faults':
      if (!Object.hasOwn(operationFaults, body.fault)) return { status: 400, body: operationFaults }
      return { status: 200, body: { waiting: next.push(body.fault) } }
    default: return { status: 404, body: { error: 'no such address' } }
  }
}

async function handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  let text = ''
  for await (const chunk of request) {
    text += chunk
    if (text.length > 100_000) return void response.writeHead(413).end()
  }
  const answer = await route(request.method ?? '', new URL(request.url ?? '/', 'http://bank').pathname, text)
  if (answer === undefined) return void response.socket?.destroy()
  if (typeof answer === 'string') response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(answer)
  else respond(response, answer.status, answer.body, answer.headers)
}

function respond(
  response: http.ServerResponse, status: number, body: unknown, headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

const server = http.createServer((request, response) => {
  handle(request, response).catch((error: Error) => error instanceof KeyReused
    ? respond(response, 422, { error: 'another request had this key' })
    : respond(response, 400, { error: error.message }))
})
const address = (): string => `http://127.0.0.1:${(server.address() as { port: number }).port}`
server.listen(Number(values.port), '127.0.0.1', () => {
  process.stdout.write(`simulator ${address()}\n`)
})
// The shop that started it holds its standard input open: when the shop dies, however it dies, the simulator ends too.
if (!values.orphan) process.stdin.resume().on('end', () => process.exit(0)).on('error', () => process.exit(0))
