// Stripe's events: signed as documented (HMAC of `timestamp.body`, by our own code and not by the SDK that verifies
// it), sent until they are taken, and repeated, late, early, in the wrong order or never where a fault says so.
import { createHmac, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { seconds } from './books.ts'

/** The header that belongs to these bytes. */
export function sign(body: string | Buffer, secret: string, timestamp = seconds()): string {
  const signature = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')
  return `t=${timestamp},v1=${signature}`
}

export type EventTerms = { apiVersion: string; livemode: boolean; account?: string | undefined }

/** An event as Stripe sends it; the object is what it was at that time. */
export function newEvent(type: string, object: object, { apiVersion, livemode, account }: EventTerms): object {
  return {
    id: `evt_${randomBytes(12).toString('hex')}`, object: 'event', api_version: apiVersion, created: seconds(),
    ...account ? { account } : {}, data: { object: structuredClone(object) }, livemode, pending_webhooks: 1,
    request: { id: null, idempotency_key: null }, type,
  }
}

const PAUSES_MS = [200, 400, 800, 1_600, 3_200]

export class Deliveries {
  url: string | undefined
  readonly #secret: string
  readonly #whileMs: number
  /** Everything that was sent, for tests that send it again. */
  readonly sent: string[] = []
  readonly #waiting = new Set<Promise<void>>()
  constructor(secret: string, whileMs: number) {
    this.#secret = secret
    this.#whileMs = whileMs
  }

  /** Sends what one request caused, in the way of these faults. */
  send(events: readonly object[], faults: readonly string[]): Promise<void> {
    const sending = this.#sendAll(events.map((event) => JSON.stringify(event)), faults)
    this.#waiting.add(sending)
    void sending.finally(() => this.#waiting.delete(sending))
    return sending
  }

  async #sendAll(bodies: string[], faults: readonly string[]): Promise<void> {
    this.sent.push(...bodies)
    if (faults.includes('webhook_never')) return
    if (faults.includes('webhook_late')) await sleep(this.#whileMs)
    if (faults.includes('webhook_reordered')) bodies.reverse()
    for (const body of bodies) {
      await this.#deliver(body)
      if (faults.includes('webhook_twice')) await this.#deliver(body)
    }
  }

  async #deliver(body: string): Promise<void> {
    for (const pause of PAUSES_MS) {
      if (!this.url) return
      const answer = await fetch(this.url, {
        method: 'POST', body, signal: AbortSignal.timeout(5_000),
        headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': sign(body, this.#secret) },
      }).catch(() => undefined)
      if (answer?.ok) return
      await sleep(pause)
    }
  }

  async stop(): Promise<void> {
    this.url = undefined
    await Promise.all(this.#waiting)
  }
}
