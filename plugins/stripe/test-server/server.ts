// A server that speaks Stripe's wire format, for the real SDK to talk to: nobody reaches Stripe from a build machine,
// and nobody can ask it to break a connection. It has the habits that the documentation states, and does what a fault
// asks for: `pm_fault,charge_then_drop` as the payment method, or POST /faults for the next operation. What it did is
// at /charges and /operations, in the form of the simulated bank: the truth to compare with.
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Books, feeOf, type Intent } from './books.ts'
import { find, LOOK_UP_LATER } from './endpoints.ts'
import { Deliveries, newEvent } from './events.ts'
import { decodeForm, IdempotencyKeys, WireError, type Reply } from './wire.ts'

export const TEST_KEY = 'sk_test_kontor'
export const TEST_WEBHOOK_SECRET = 'whsec_kontor'

export type StripeServerOptions = {
  webhookUrl?: string; whileMs?: number; livemode?: boolean; apiVersion?: string
  /** How often the connection of a request that a fault breaks is broken: the SDK repeats once by itself. */
  drops?: number
}
export type StripeServer = {
  url: string; books: Books; deliveries: Deliveries
  /** Requests by method and path, as they came. */
  requests: { method: string; path: string; key: string | undefined; version: string | undefined }[]
  /** What goes wrong with the next POST that charges nothing by itself. */
  next: string[]
  /** Sends the events of what a test did to the books by itself. */
  announce(): Promise<unknown>
  stop(): Promise<void>
}

export async function startStripeServer(options: StripeServerOptions = {}): Promise<StripeServer> {
  const server = new FakeStripe(options)
  const listener = http.createServer((request, response) => void server.serve(request, response))
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  server.url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
  return Object.assign(server, { async stop() {
    await server.deliveries.stop()
    listener.closeAllConnections()
    await new Promise((resolve) => listener.close(resolve))
  } })
}

type Request = { method: string; path: string; body: string; key: string | undefined }
type BankOperation = { key: string; reference: string; kind: string; amountMinor: number; error?: string }

class FakeStripe {
  url = ''
  readonly books: Books
  readonly deliveries: Deliveries
  readonly requests: StripeServer['requests'] = []
  readonly next: string[] = []
  readonly #keys = new IdempotencyKeys()
  readonly #broken = new Map<string, number>()
  readonly #operations = new Map<string, BankOperation>()
  readonly #options: Required<Pick<StripeServerOptions, 'whileMs' | 'drops' | 'livemode'>>
  #events: { event: object; intent: string | null }[] = []

  constructor({ webhookUrl, whileMs = 2_000, livemode = false, drops = 2, apiVersion = '2026-10-28.endive' }:
    StripeServerOptions) {
    this.#options = { whileMs, drops, livemode }
    this.books = new Books(() => this.url, (type, object, intent) => {
      this.#events.push({ event: newEvent(type, object, { apiVersion, livemode }), intent })
    }, { livemode, whileMs })
    this.deliveries = new Deliveries(TEST_WEBHOOK_SECRET, whileMs)
    this.deliveries.url = webhookUrl
  }

  async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += chunk
    const { pathname: path, search } = new URL(request.url ?? '/', this.url)
    const [method, key] = [request.method ?? '', request.headers['idempotency-key'] as string | undefined]
    const reply = await this.#answer({ method, path, body: body || search.slice(1), key }, request.headers)
      .catch((error: Error): Reply => ({ status: 500, body: { error: { type: 'api_error', message: error.message } } }))
    if (reply === 'drop') return void response.socket?.destroy()
    const html = typeof reply.body === 'string'
    response.writeHead(reply.status, {
      'content-type': html ? 'text/html; charset=utf-8' : 'application/json', 'request-id': 'req_test',
      ...key ? { 'idempotency-key': key } : {}, ...reply.headers,
    }).end(html ? reply.body as string : JSON.stringify(reply.body))
  }

  async #answer(request: Request, headers: http.IncomingHttpHeaders): Promise<Reply | 'drop'> {
    const { method, path, body, key } = request
    if (!path.startsWith('/v1/')) return this.#page(method, path, body)
    this.requests.push({ method, path, key, version: headers['stripe-version'] as string | undefined })
    try {
      if (headers.authorization !== `Bearer ${TEST_KEY}`) {
        throw new WireError(401, { type: 'invalid_request_error', message: 'Invalid API Key provided: sk_test_****' })
      }
      const faults = method === 'POST' ? this.#faultsOf(request) : []
      if (has(faults, 'drop_before_charge', 'drop_before') && this.#drops(key, 'before')) return 'drop'
      const reply = method === 'POST'
        ? await this.#keys.once(key, `${path}?${body}`, () => this.#work(request, faults)) : await this.#run(request)
      const lost = has(faults, 'charge_then_drop', 'done_then_drop', LOOK_UP_LATER)
      return lost && this.#drops(key, 'after') ? 'drop' : reply
    } catch (error) {
      if (error instanceof WireError) return envelope(error)
      throw error
    }
  }

  /** Whether this connection breaks, too: a fault does it so many times. */
  #drops(key: string | undefined, when: string): boolean {
    const times = (this.#broken.get(`${key} ${when}`) ?? 0) + 1
    this.#broken.set(`${key} ${when}`, times)
    return times <= this.#options.drops
  }

  readonly #faultOfKey = new Map<string, string[]>()

  /** A repeat has the faults of the first request. */
  #faultsOf({ path, body, key = '' }: Request): string[] {
    const known = this.#faultOfKey.get(key)
    if (known) return known
    const { payment_method: card, confirmation_token: token } = decodeForm(body)
    const faults = path === '/v1/payment_intents' ? String(card ?? token).split(',') : this.next.splice(0, 1)
    this.#faultOfKey.set(key, faults)
    return faults
  }

  /** Does it once, whatever becomes of the answer. Parameters that do not fit keep nothing under the key. */
  async #work(request: Request, faults: readonly string[]): Promise<Reply> {
    const refused = Promise.resolve().then(() => {
      // Stripe has no reason to refuse a page, or its end.
      if (faults.includes('refuse') && !request.path.includes('/checkout/')) {
        throw new WireError(402, { type: 'card_error', message: 'refused by the bank' })
      }
      return this.#run(request)
    })
    const done = await refused.catch((error: unknown) => {
      this.#note(request, error as Error)
      if (error instanceof WireError && error.fields['param'] === undefined) return envelope(error)
      throw error
    })
    if (done.status === 200) this.#note(request, undefined)
    const sent = this.#flush()
    if (faults.includes('webhook_first')) await Promise.race([sent, sleep(this.#options.whileMs)])
    if (faults.includes('delay')) await sleep(this.#options.whileMs)
    if (!has(faults, 'charge_then_500', 'done_then_500')) return done
    return { ...envelope(new WireError(500, { type: 'api_error', message: 'An unknown error occurred' })),
      headers: { 'stripe-should-retry': 'false' } }
  }

  async #run({ method, path, body }: Request): Promise<Reply> {
    const { parts, run } = find(method, path, body)
    return { status: 200, body: structuredClone(run(this.books, { parts, body, tree: decodeForm(body) })) }
  }

  #flush(): Promise<unknown> {
    const events = this.#events.splice(0)
    const card = events.map(({ intent }) => intent && this.books.intents.get(intent)?.payment_method).find(Boolean)
    return this.deliveries.send(events.map(({ event }) => event), String(card ?? '').split(','))
  }

  announce(): Promise<unknown> { return this.#flush() }

  #note({ path, body, key = '' }: Request, error: Error | undefined): void {
    const [, reference, verb] = /(\w+)\/(capture|cancel|expire)$/.exec(path) ?? []
    if (!verb && path !== '/v1/refunds') return
    const tree = decodeForm(body)
    const intent = reference ?? String(tree['payment_intent'])
    const plain = key.replace(/-(cancel|expire)$/, '')
    this.#operations.set(plain, {
      key: plain, reference: intent, kind: verb === 'capture' ? 'capture' : verb ? 'void' : 'refund',
      amountMinor: Number(tree['amount'] ?? tree['amount_to_capture'] ?? this.books.intents.get(intent)?.amount ?? 0),
      ...error ? { error: error.message } : {},
    })
  }

  async #page(method: string, path: string, body: string): Promise<Reply> {
    const [, first, second, third] = path.split('/')
    const form = new URLSearchParams(body)
    if (first === 'charges') return { status: 200, body: this.charges() }
    if (first === 'operations') return { status: 200, body: [...this.#operations.values()] }
    if (first === 'faults') return { status: 200, body: { waiting: this.next.push(JSON.parse(body).fault) } }
    if (first === '3ds' && second) {
      const intent = this.books.intent(second)
      if (method === 'GET') return { status: 200, body: question('Does your bank know you?') }
      this.books.authenticate(intent, form.get('answer') === 'yes')
      void this.#flush()
      return { status: 303, body: '', headers: { location: intent.return_url! } }
    }
    if (first !== 'c' || second !== 'pay' || !third) return { status: 404, body: { error: 'no such address' } }
    return this.#checkoutPage(method, this.books.session(third), form)
  }

  #checkoutPage(method: string, session: ReturnType<Books['session']>, form: URLSearchParams): Reply {
    if (method === 'GET') return { status: 200, body: question('Pay with a card?') }
    if (form.get('answer') === 'no') return { status: 303, body: '', headers: { location: session.cancel_url ?? '/' } }
    try {
      this.books.payOn(session, form.get('card') ?? 'pm_card_visa')
      return { status: 303, body: '', headers: { location: session.success_url } }
    } catch (error) {
      return { status: 402, body: question((error as Error).message) }
    } finally {
      void this.#flush()
    }
  }

  /** What was charged, in the form of the simulated bank. A try on a page that is still open is no charge. */
  charges(): object[] {
    const pages = new Map([...this.books.sessions.values()].map((one) => [one.payment_intent, one]))
    return [...this.books.intents.values()]
      .filter(({ id, status }) => !pages.has(id) || ['requires_capture', 'succeeded', 'canceled'].includes(status))
      .map((intent) => ({
        key: intent.metadata['kontor_key'], reference: intent.id, state: stateOf(intent), amountMinor: intent.amount,
        currency: intent.currency.toUpperCase(), capturedMinor: intent.amount_received,
        refundedMinor: this.books.refunded(intent.id),
        feeMinor: intent.amount_received ? feeOf(intent.amount_received) : 0,
        faults: intent.payment_method?.split(',').slice(1) ?? [],
      }))
  }
}

const has = (faults: readonly string[], ...names: string[]): boolean => names.some((name) => faults.includes(name))

const envelope = ({ status, fields }: WireError): Reply => ({ status, body: { error: fields } })

const states: Record<string, string> = {
  requires_payment_method: 'declined', requires_action: 'requires_action', requires_capture: 'authorized',
  succeeded: 'captured', canceled: 'voided', processing: 'pending',
}
const stateOf = ({ status }: Intent): string => states[status] ?? status

const question = (text: string): string => `<!doctype html><html lang="en"><title>Test page</title>
<body><p>${text}</p><form method="post"><button name="answer" value="yes">Yes</button>
<button name="answer" value="no">No</button></form>`
