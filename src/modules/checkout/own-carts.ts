// What a customer who signed in has in checkout: the cart that they began as a guest becomes theirs, theirs are found
// again on another device, and saved addresses fill them in.
import { Type } from 'typebox'
import { hashToken } from '../../platform/id.ts'
import { signedCustomer, sql, type Conn, type Context, type Db } from '../../platform/db.ts'
import { Id, route } from '../../platform/http.ts'
import { getAddress } from '../customers/addresses.ts'
import { CustomerAddressNotFound } from '../customers/customers.ts'
import type { Address } from '../orders/orders.ts'
import { cartsOfCustomer, customerOf, readCart, showCart } from './cart.ts'
import { Cart, CartCompleted, CartExpired, CartNotFound } from './checkout.ts'

/** Of the customer who is signed in, in place of an address that is written out. */
export const savedAddresses = {
  shippingAddressId: Type.Optional(Id), billingAddressId: Type.Optional(Id),
}
type Named = { shippingAddressId?: string | undefined; billingAddressId?: string | undefined }

/** The addresses that are named by their ids. Throws CustomerAddressNotFound, for a guest and a foreign one alike. */
export async function readSaved(conn: Conn, context: Context, { shippingAddressId, billingAddressId }: Named) {
  const read = async (id: string): Promise<Address> => {
    const customer = customerOf(context)
    if (!customer) throw CustomerAddressNotFound({}, 'Sign in: saved addresses are those of a customer.')
    return (await getAddress(conn, customer.id, id)).address
  }
  return {
    ...shippingAddressId !== undefined && { shippingAddress: await read(shippingAddressId) },
    ...billingAddressId !== undefined && { billingAddress: await read(billingAddressId) },
  }
}

/**
 * Makes a guest's cart that of the customer; from then on their session opens it and its token does not. Throws
 * CartNotFound, CartCompleted. Asked twice it changes nothing.
 */
async function attachCart(db: Db, context: Context, cartId: string, token: string): Promise<Cart> {
  const { id, email } = signedCustomer(context)
  const { actor } = context
  const holder = { ...context, actor: { ...actor, tokenHash: hashToken(token) } as typeof actor }
  return db.transaction(context, async (tx) => {
    const cart = await readCart(tx, holder, cartId, sql`for update`)
    if (cart.orderId) throw CartCompleted({ orderId: cart.orderId }, 'Read the order, or begin a new cart.')
    await tx.run(sql`
      update checkout.cart set customer_id = ${id}, email = coalesce(email, ${email}), updated_at = now()
      where id = ${cartId}`)
    return showCart(tx, await readCart(tx, context, cartId))
  })
}

const attachCartRoute = route({
  method: 'PUT', path: '/store/carts/:cartId/customer', operationId: 'attachCart', access: 'customer',
  tags: ['Carts'], summary: 'Take a cart along that was begun before signing in',
  description: 'From then on the session opens it, on every device, and its token does not.',
  params: Type.Object({ cartId: Id }),
  body: Type.Object({ token: Type.String({ pattern: '^[\\w-]{20,200}$', description: 'That came with the cart' }) }),
  response: { 200: Cart }, problems: [CartNotFound, CartExpired, CartCompleted],
  run: ({ db, context, params, body }) => attachCart(db, context, params.cartId, body.token),
})

const listMyCarts = route({
  method: 'GET', path: '/store/account/carts', operationId: 'listMyCarts', access: 'customer', tags: ['Carts'],
  summary: 'List the own open carts, the newest first', response: { 200: Type.Object({ items: Type.Array(Cart) }) },
  async run({ db, context }) {
    const carts = await cartsOfCustomer(db, context)
    return { items: await Promise.all(carts.map((cart) => showCart(db, cart))) }
  },
})

export const ownCartRoutes = [attachCartRoute, listMyCarts]
