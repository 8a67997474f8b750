// What a shopper does in the bench, over one connection. Every answer is checked: a fast refusal is no purchase.
import type { Connection } from './connection.ts'
import type { Seeded } from './seed.ts'

export type Line = { variantId: string; quantity: number }
export type Cart = { id: string; token: string }

const address = { name: 'Ada Byron', line1: 'Unter den Linden 1', postalCode: '10117', city: 'Berlin', country: 'DE' }
const payment = { method: 'transfer' }

export class Shopper {
  readonly #connection: Connection
  readonly #key: string
  readonly #seeded: Seeded

  constructor(connection: Connection, key: string, seeded: Seeded) {
    this.#connection = connection
    this.#key = key
    this.#seeded = seeded
  }

  async #ask(expected: number, method: string, path: string, body?: unknown, token?: string): Promise<any> {
    const headers = { 'x-publishable-key': this.#key, ...token ? { authorization: `Bearer ${token}` } : {} }
    const answer = await this.#connection.request(method, path, headers, body)
    if (answer.status !== expected) {
      const said = answer.body.toString().slice(0, 300)
      throw new Error(`${method} ${path.replace(/[0-9a-f-]{36}/, '…')} answered ${answer.status}: ${said}`)
    }
    return answer.json()
  }

  /** The bytes alone: a client that reads JSON would be what is measured. */
  async read(path: string): Promise<Buffer> {
    const { status, body } = await this.#connection.request('GET', path, { 'x-publishable-key': this.#key })
    if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${body.toString().slice(0, 300)}`)
    return body
  }

  async beginCart(): Promise<Cart> {
    const { cart, token } = await this.#ask(201, 'POST', '/store/carts', {})
    return { id: cart.id, token }
  }

  addLines({ id, token }: Cart, lines: Line[]): Promise<any> {
    return this.#ask(200, 'POST', `/store/carts/${id}/lines`, { lines }, token)
  }

  /** Address and delivery, as a checkout page sends them; answers the total. */
  async fillIn({ id, token }: Cart): Promise<number> {
    await this.#ask(200, 'PATCH', `/store/carts/${id}`, { email: 'ada@example.com', shippingAddress: address }, token)
    const { items } = await this.#ask(200, 'GET', `/store/carts/${id}/shipping-options`, undefined, token)
    const { quote } = await this.#ask(
      200, 'PATCH', `/store/carts/${id}`, { shippingMethodId: items[0].methodId }, token
    )
    return quote.totalMinor
  }

  complete({ id, token }: Cart, totalMinor: number): Promise<any> {
    return this.#ask(201, 'POST', `/store/carts/${id}/complete`, {
      expectedTotal: { amount: totalMinor, currency: 'EUR' }, payment,
    }, token)
  }

  /** The whole checkout in six separate calls. */
  async buy(lines: Line[]): Promise<any> {
    const cart = await this.beginCart()
    await this.addLines(cart, lines)
    return this.complete(cart, await this.fillIn(cart))
  }

  async quote(lines: Line[]): Promise<number> {
    const body = { currency: 'EUR', country: 'DE', shippingMethodId: this.#seeded.methodId, lines }
    return (await this.#ask(200, 'POST', '/store/quote', body)).totalMinor
  }

  buyNow(lines: Line[], totalMinor: number): Promise<any> {
    return this.#ask(201, 'POST', '/store/checkout', {
      currency: 'EUR', lines, email: 'ada@example.com', shippingAddress: address,
      shippingMethodId: this.#seeded.methodId,
      expectedTotal: { amount: totalMinor, currency: 'EUR' }, payment,
    })
  }
}
