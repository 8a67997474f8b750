// What the tests of accounts share: a shop, somebody at a browser or with an app, and the mails that they get.
import { drainEvents } from '../../../platform/jobs.ts'
import type { Cleanup } from '../../../platform/testing.ts'
import { testShop } from '../../../testing.ts'
import { mailSettings, type Mail } from '../../notifications/mail.ts'
import { sendMessages } from '../../notifications/send-messages.ts'

export const PASSWORD = 'four words in a row'
export const NEXT = 'another four words in a row'

type Answer = { status: number; body: any; headers: Record<string, unknown> }
type Call = (
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object, headers?: Record<string, string>,
) => Promise<Answer>

export async function testAccounts(t: Cleanup) {
  const shop = await testShop(t, { max: 12 })
  const app = await shop.app()
  const { publishable, secret } = await shop.keys()

  /** Somebody without a session; `token` is sent as a bearer token. Paths are those behind /store. */
  const caller = (token?: string, address = '127.0.0.1'): Call => async (method, path, body, headers = {}) => {
    const answer = await app.inject({
      method, url: `/store${path}`, remoteAddress: address, ...body ? { payload: body } : {},
      headers: {
        host: 'localhost:8000', 'x-publishable-key': publishable,
        ...token ? { authorization: `Bearer ${token}` } : {}, ...headers,
      },
    })
    const text = answer.body
    return { status: answer.statusCode, body: text === '' ? undefined : JSON.parse(text), headers: answer.headers }
  }

  const sent: Mail[] = []
  const transport = { keeps: false, close() {}, async send(mail: Mail) { sent.push(mail) } }
  mailSettings.set(shop.db, {
    transport, from: 'shop@shop.example', shopUrl: 'https://api.shop.example', storefrontUrl: 'https://shop.example',
  })
  /** The mails that went out since the last time, with the secret of their link. */
  const mails = async () => {
    await drainEvents(shop.db, shop.opened.handlers)
    await sendMessages(shop.db)
    return sent.splice(0).map(({ to, subject, text }) => ({
      to, subject, token: /#token=([\w-]+)/.exec(text)?.[1] ?? '', text,
    }))
  }

  /** The secret of a link that is asked for now, and what the browser keeps. */
  const link = async (email: string, purpose: 'registration' | 'sign-in' | 'password-reset') => {
    const { body } = await caller()('POST', '/account/links', { email, purpose })
    const mail = (await mails()).find(({ to, token }) => to === email && token !== '')
    return { token: mail?.token ?? '', browser: body.browser as string }
  }

  /** Registers by mail, with an app that keeps the token. */
  const register = async (email: string, more: object = { password: PASSWORD }) => {
    const { token } = await link(email, 'registration')
    const { status, body } = await caller()('POST', '/account', { token, keep: 'token', ...more })
    if (status !== 201) throw new Error(`Could not register: ${JSON.stringify(body)}`)
    return { call: caller(body.token), token: body.token as string, id: body.account.customerId as string }
  }

  const signIn = (email: string, password = PASSWORD, address?: string) =>
    caller(undefined, address)('POST', '/account/session', { email, password, keep: 'token' })

  return { shop, app, publishable, secret, caller, mails, link, register, signIn }
}
