// The gateway simulator: a process of its own with the habits of real gateways, the bad ones included. It serves the
// bank over HTTP, signs and sends webhooks, and does each fault that a request asks for. Started by the shop in demo
// mode, or by hand:
//   node plugins/simulator/server.ts --data FOLDER --port 0 --webhook http://127.0.0.1:8000/webhooks/simulator
import { createHmac, randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Bank, faults, type Charge, type Fault } from './bank.ts'

const { values } = parseArgs({ options: {
  data: {
    type: 'string', default: '.kontor/simulator',
  }, port: { type: 'string', default: '0' }, webhook: { type: 'string' },
  secret: { type: 'string', default: 'simulator-secret' }, orphan: { type: 'boolean', default: false },
} })

mkdirSync(values.data, { recursive: true })
const bank = new Bank(join(values.data, 'bank.jsonl'))
let webhookUrl = values.webhook
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function sendWebhook(charge: Charge, kind: string, eventId = randomUUID()): Promise<void> {
  if (!webhookUrl) return
  const body = JSON.stringify({
    eventId, kind, reference: charge.reference, key: charge.key, amountMinor: charge.amountMinor,
    currency: charge.currency,
  })
  const timestamp = String(Math.floor(Date.now() / 1_000))
  const signature = createHmac('sha256', values.secret).update(`${timestamp}.${body}`).digest('hex')
  for (let attempt = 0; attempt < 5; attempt++) {
    const answer = await fetch(webhookUrl, {
      method: 'POST', body, signal: AbortSignal.timeout(5_000),
      headers: {
        'content-type': 'application/json', 'x-simulator-timestamp': timestamp, 'x-simulator-signature': signature,
      },
    }).catch(() => undefined)
    if (answer?.ok) return
    await pause(200 * 2 ** attempt)
  }
}

async function announce(charge: Charge, fault: Fault | undefined): Promise<void> {
  const kind = `charge.${charge.state}`
  if (fault === 'webhook_never') return
  if (fault === 'webhook_late') await pause(3_000)
  if (fault === 'webhook_reordered') await sendWebhook(charge, 'charge.disputed')
  const eventId = randomUUID()
  await sendWebhook(
    fault === 'other_amount' ? { ...charge, amountMinor: charge.amountMinor + 1 } : charge, kind, eventId
  )
  if (fault === 'webhook_twice') await sendWebhook(charge, kind, eventId)
  if (charge.disputed) await sendWebhook(charge, 'charge.disputed')
}

type Answer = { status: number; body: unknown }
const told = (charge: Charge): Answer => ({
  status: charge.state === 'declined' ? 402 : 200,
  body: charge.state === 'requires_action' ? { ...charge, url: `${address()}/action/${charge.reference}` } : charge,
})

async function charge(body: any, response: http.ServerResponse): Promise<Answer | undefined> {
  const fault: Fault | undefined = faults.find((one) => one === body.fault)
  if (fault === 'drop_before_charge' && !bank.charges.has(body.key)) {
    dropped.add(body.key)
    return void response.socket?.destroy()
  }
  if (
    fault === 'key_expired' && bank.charges.has(body.key)
  ) return { status: 409, body: { error: 'the key has expired' } }
  const known = bank.charges.has(body.key)
  const made = bank.charge(body.key, body)
  if (fault === 'webhook_first') await announce(made, fault)
  if (fault === 'delay') await pause(2_000)
  if (!known && fault !== 'webhook_first') void announce(made, fault)
  if (!known && fault === 'charge_then_drop') return void response.socket?.destroy()
  if (fault === 'charge_then_500') return { status: 500, body: { error: 'something broke after the charge' } }
  return told(fault === 'other_amount' ? { ...made, amountMinor: made.amountMinor + 1 } : made)
}
const dropped = new Set<string>()

function lookUp(key: string, fault: string | null): Answer {
  const found = bank.charges.get(key)
  // "Consistent only later": for two seconds the bank denies what it did.
  if (
    !found || (fault === 'look_up_later' && Date.now() - found.at < 2_000)
  ) return { status: 404, body: { error: 'no such charge' } }
  return { ...told(found), status: 200 }
}

const page = (reference: string): string => `<!doctype html><meta name="viewport" content="width=device-width"><title>Simulated bank</title>
<body style="font:16px system-ui;max-width:28rem;margin:4rem auto;padding:0 1rem"><h1>Simulated bank</h1><p>Do you confirm the payment ${reference}?</p>
<form method="post"><button name="answer" value="yes">Yes, pay</button> <button name="answer" value="no">No</button></form>`

async function handle(
  request: http.IncomingMessage, response: http.ServerResponse,
): Promise<Answer | string | undefined> {
  const url = new URL(request.url ?? '/', 'http://simulator')
  let text = ''
  for await (const chunk of request) {
    text += chunk
    if (text.length > 100_000) return { status: 413, body: { error: 'too large' } }
  }
  const [, first, second] = url.pathname.split('/')
  if (request.method === 'POST' && first === 'action' && second) {
    const answered = bank.answer(second, text.includes('answer=yes'), true)
    if (answered) void announce(answered, undefined)
    return '<!doctype html><title>Simulated bank</title><body style="font:16px system-ui;margin:4rem">Thank you. You may close this page.'
  }
  if (request.method === 'POST') {
    const body = JSON.parse(text || '{}')
    if (first === 'charges') return charge(body, response)
    if (first === 'webhook-url') return { status: 200, body: { url: webhookUrl = body.url } }
    if (first === 'operations') {
      const operation = bank.operate(body)
      if (body.fault === 'charge_then_drop') return void response.socket?.destroy()
      return { status: operation.error ? 402 : 200, body: operation }
    }
  }
  if (first === 'action' && second && bank.byReference.has(second)) return page(second)
  if (first === 'charges' && second) return lookUp(second, url.searchParams.get('fault'))
  if (first === 'charges') return { status: 200, body: [...bank.charges.values()] }
  if (first === 'operations') return { status: 200, body: [...bank.operations.values()] }
  return { status: 404, body: { error: 'no such address' } }
}

const server = http.createServer((request, response) => {
  handle(request, response).then((answer) => {
    if (answer === undefined) return
    if (typeof answer === 'string') return response.writeHead(
      200, { 'content-type': 'text/html; charset=utf-8' }
    ).end(answer)
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body))
  }, (error: Error) => response.writeHead(
    400, { 'content-type': 'application/json' }
  ).end(JSON.stringify({ error: error.message })))
})
const address = (): string => `http://127.0.0.1:${(server.address() as { port: number }).port}`
server.listen(Number(values.port), '127.0.0.1', () => {
  process.stdout.write(`simulator ${address()}\n`)
})
// The shop that started it holds its standard input open: when the shop dies, however it dies, the simulator ends too.
if (!values.orphan) process.stdin.resume().on('end', () => process.exit(0)).on('error', () => process.exit(0))
