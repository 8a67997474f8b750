// What a shopper does in the bench, over one connection. Every answer is checked: a fast refusal is no purchase.
import type { Connection } from './connection.ts'
import { Refused } from './measure.ts'

export type Line = { variantId: string; quantity: number }
export type Cart = { id: string; token: string }
/** What a shopper has to know of a shop to buy there. */
export type Terms = { key: string; currency: string; country: string; methodId: string; paymentMethod: string }

const email = 'ada@example.com'
const UNAVAILABLE = 503

export class Shopper {
  readonly #connection: Connection
  readonly #terms: Terms
  readonly #keyLine: string

  constructor(connection: Connection, terms: Terms) {
    this.#connection = connection
    this.#terms = terms
    this.#keyLine = `x-publishable-key: ${terms.key}\r\n`
  }

  /** The same shopper, who knows more. */
  knowing(terms: Terms): Shopper { return new Shopper(this.#connection, terms) }

  async #send(expected: number, method: string, path: string, headers: string, body?: unknown): Promise<Buffer> {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const answer = await this.#connection.request(method, path, headers, text)
    if (answer.status === expected) return answer.body
    const said = `${method} ${path.replace(/[0-9a-f-]{36}/, '…')} answered ${answer.status}: ` +
      answer.body.toString().slice(0, 300)
    const pause = /\r\nretry-after: *(\d+)/i.exec(answer.head)?.[1]
    throw answer.status === UNAVAILABLE && pause ? new Refused(said, Number(pause)) : new Error(said)
  }

  async #ask(expected: number, method: string, path: string, body?: unknown, token?: string): Promise<any> {
    const headers = token ? `${this.#keyLine}authorization: Bearer ${token}\r\n` : this.#keyLine
    return JSON.parse((await this.#send(expected, method, path, headers, body)).toString())
  }

  /** The bytes alone: a client that reads JSON would be what is measured. */
  read(path: string, token?: string): Promise<Buffer> {
    const bearer = token ? `authorization: Bearer ${token}\r\n` : ''
    return this.#send(200, 'GET', path, this.#keyLine + bearer)
  }

  /** What staff see, with a secret key. */
  readAsStaff(path: string, secretKey: string): Promise<Buffer> {
    return this.#send(200, 'GET', path, `authorization: Bearer ${secretKey}\r\n`)
  }

  async beginCart(): Promise<Cart> {
    const { currency } = this.#terms
    const { cart, token } = await this.#ask(201, 'POST', '/store/carts', { currency })
    return { id: cart.id, token }
  }

  addLines({ id, token }: Cart, lines: Line[]): Promise<any> {
    return this.#ask(200, 'POST', `/store/carts/${id}/lines`, { lines }, token)
  }

  setLines({ id, token }: Cart, lines: Line[]): Promise<any> {
    return this.#ask(200, 'PUT', `/store/carts/${id}/lines`, { lines }, token)
  }

  async paymentMethods({ id, token }: Cart): Promise<string[]> {
    const { items } = await this.#ask(200, 'GET', `/store/carts/${id}/payment-methods`, undefined, token)
    return items.map(({ code }: { code: string }) => code)
  }

  async deliveries({ id, token }: Cart): Promise<string[]> {
    await this.#ask(200, 'PATCH', `/store/carts/${id}`, { email, shippingAddress: this.#address() }, token)
    const { items } = await this.#ask(200, 'GET', `/store/carts/${id}/shipping-options`, undefined, token)
    return items.map(({ methodId }: { methodId: string }) => methodId)
  }

  /** Address and delivery, as a checkout page sends them; answers the total. */
  async fillIn(cart: Cart): Promise<number> {
    const [shippingMethodId] = await this.deliveries(cart)
    const { quote } = await this.#ask(200, 'PATCH', `/store/carts/${cart.id}`, { shippingMethodId }, cart.token)
    return quote.totalMinor
  }

  complete({ id, token }: Cart, totalMinor: number): Promise<any> {
    return this.#ask(201, 'POST', `/store/carts/${id}/complete`, this.#payment(totalMinor), token)
  }

  /** The whole checkout in six separate calls; answers the order's id and the token that reads it. */
  async buy(lines: Line[]): Promise<{ orderId: string; token: string }> {
    const cart = await this.beginCart()
    await this.addLines(cart, lines)
    const { order } = await this.complete(cart, await this.fillIn(cart))
    return { orderId: order.id, token: cart.token }
  }

  async quote(lines: Line[]): Promise<number> {
    const { currency, country, methodId } = this.#terms
    const body = { currency, country, shippingMethodId: methodId, lines }
    return (await this.#ask(200, 'POST', '/store/quote', body)).totalMinor
  }

  /** `data`: what the form of a gateway would give; of the simulated bank, what is to go wrong. */
  buyNow(lines: Line[], totalMinor: number, data?: Record<string, string>): Promise<any> {
    const { currency, methodId } = this.#terms
    return this.#ask(201, 'POST', '/store/checkout', {
      currency, lines, email, shippingAddress: this.#address(), shippingMethodId: methodId,
      ...this.#payment(totalMinor, data),
    })
  }

  #address() {
    const { country } = this.#terms
    return { name: 'Ada Byron', line1: 'Unter den Linden 1', postalCode: '10117', city: 'Berlin', country }
  }

  #payment(totalMinor: number, data?: Record<string, string>) {
    const { currency, paymentMethod } = this.#terms
    const payment = { method: paymentMethod, ...data ? { data } : {} }
    return { expectedTotal: { amount: totalMinor, currency }, payment }
  }
}
