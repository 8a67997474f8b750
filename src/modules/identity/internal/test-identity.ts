// What the tests of identity share: an application on a database of its own, a browser that keeps its cookie, and
// people who have a role and a password.
import type { OutgoingHttpHeaders } from 'node:http'
import { Type } from 'typebox'
import { sql, systemContext, type Db } from '../../../platform/db.ts'
import { createApp, route, type Access } from '../../../platform/http.ts'
import { newId } from '../../../platform/id.ts'
import { drainEvents } from '../../../platform/jobs.ts'
import { createLog } from '../../../platform/log.ts'
import { testDatabase, type Cleanup } from '../../../platform/testing.ts'
import { mailSettings, type Mail } from '../../notifications/mail.ts'
import { sendMessages } from '../../notifications/send-messages.ts'
import { adminRoutes } from '../admin-api.ts'
import { createAuthenticate } from '../authenticate.ts'
import { hashPassword } from '../hash-password.ts'
import { handlers } from '../jobs.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
type Answer = { status: number; body: any; headers: OutgoingHttpHeaders }
export type Browser = (method: Method, url: string, body?: object, headers?: Record<string, string>) => Promise<Answer>
/** Somebody who signed in, with the cookie of their browser. */
type Person = Browser & { id: string; email: string; cookie: () => string }

export const PASSWORD = 'four words in a row'
let hash: Promise<string> | undefined

/** Probes answer who asks, one for each kind of access. */
const probe = (path: string, access: Access) => route({
  method: 'POST', path, access, summary: 'Who asks', tags: ['Test'], replay: 'none', response: { 200: Type.Unknown() },
  run: async ({ context }) => ({ ...context.actor, tokenHash: undefined }),
})
const probes = [
  probe('/store/probe', 'shopper'), probe('/admin/probe/staff', 'staff'), probe('/admin/probe/public', 'public'),
  probe('/admin/probe/orders', { permission: 'orders:write' }),
  probe('/admin/probe/plugin', { permission: 'plugin:write' }),
]

export async function testIdentity(t: Cleanup) {
  const db = await testDatabase(t)
  const open = async (on: Db) => {
    const app = await createApp(
      { db: on, routes: [...adminRoutes, ...probes], authenticate: createAuthenticate(on), log: createLog('silent') }
    )
    t.after(() => app.close())
    return app
  }
  const app = await open(db)

  /** Somebody at a browser: its cookie is kept, and its writes say where they come from. */
  const browser = (on = app, address = '127.0.0.1'): Browser & { cookie: () => string } => {
    let cookie = ''
    const browse: Browser = async (method, url, body, headers = {}) => {
      const answer = await on.inject({
        method, url, remoteAddress: address, ...body ? { payload: body } : {},
        headers: { host: 'localhost:8000', 'sec-fetch-site': 'same-origin', ...cookie ? { cookie } : {}, ...headers },
      })
      const set = answer.headers['set-cookie']
      if (typeof set === 'string') cookie = set.split(';')[0]!
      return {
        status: answer.statusCode, body: answer.body === '' ? undefined : answer.json(), headers: answer.headers,
      }
    }
    return Object.assign(browse, { cookie: () => cookie })
  }

  const person = async (role: string, email = `${newId()}@shop.example`): Promise<{ id: string; email: string }> => {
    const id = newId()
    await db.run(sql`insert into identity.staff (id, email, name, role_code, password_hash)
      values (${id}, ${email}, 'Ada', ${role}, ${await (hash ??= hashPassword(PASSWORD))})`)
    return { id, email }
  }

  /** Somebody with this role who has signed in. */
  const signedIn = async (role: string): Promise<Person> => {
    const who = await person(role)
    const browse = browser()
    const { status, body } = await browse('POST', '/admin/session', { email: who.email, password: PASSWORD })
    if (status !== 200) throw new Error(`Could not sign in: ${JSON.stringify(body)}`)
    return Object.assign(browse, who)
  }

  const sent: Mail[] = []
  const transport = { keeps: false, close() {}, async send(mail: Mail) { sent.push(mail) } }
  mailSettings.set(db, { transport, from: 'shop@shop.example', shopUrl: 'https://shop.example' })
  /** The mails that went out since the last time, with the secret of their link. */
  const mails = async (): Promise<{ to: string; subject: string; token: string | undefined }[]> => {
    await drainEvents(db, handlers)
    await sendMessages(db)
    return sent.splice(0).map(({ to, subject, text }) => ({ to, subject, token: /#token=([\w-]+)/.exec(text)?.[1] }))
  }

  return { db, app, open, browser, person, signedIn, mails, system: systemContext() }
}
