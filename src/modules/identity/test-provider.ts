// A real OpenID Connect provider for tests, on a port of its own: people sign in there by being named, and it says of
// them what the test wants.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type AccountClaims } from 'oidc-provider'
import type { Cleanup } from '../../platform/testing.ts'

const SECRET = 'a secret of forty-two characters, at least'

export async function startProvider(t: Cleanup, returnTo: string) {
  const people = new Map<string, Record<string, unknown>>()
  let signedIn = ''
  const server = createServer((request, response) => {
    if (!request.url?.startsWith('/interaction/')) return void provider.callback()(request, response)
    // The page of the provider, on which somebody signs in.
    void provider.interactionFinished(request, response, { login: { accountId: signedIn } })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'kontor', client_secret: SECRET, redirect_uris: [returnTo] }],
    cookies: { keys: ['a key of the test'] }, features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` }, conformIdTokenClaims: false,
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
    findAccount: (_, accountId) => ({
      accountId, claims: () => ({ sub: accountId, ...people.get(accountId) }) as AccountClaims,
    }),
    async loadExistingGrant({ oidc }) {
      const grant = new provider.Grant({ clientId: oidc.client!.clientId, accountId: oidc.session!.accountId! })
      grant.addOIDCScope('openid email profile')
      await grant.save()
      return grant
    },
  })
  t.after(() => new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  }))

  /** What a browser does that is sent there: answers the query with which it comes back. */
  const visit = async (url: string, subject: string): Promise<string> => {
    signedIn = subject
    const cookies = new Map<string, string>()
    let at = url
    while (!at.startsWith(returnTo)) {
      const answer = await fetch(at, {
        redirect: 'manual', headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      })
      for (const line of answer.headers.getSetCookie()) {
        const [name, value] = line.split(';')[0]!.split('=') as [string, string]
        cookies.set(name, value)
      }
      const next = answer.headers.get('location')
      if (!next) throw new Error(`The provider answered ${answer.status}: ${await answer.text()}`)
      at = new URL(next, at).href
    }
    return new URL(at).search
  }
  return { people, visit, settings: { issuer, clientId: 'kontor', clientSecret: SECRET } }
}
