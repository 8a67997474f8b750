// A shop with half a Stripe account does not start, and says what is missing without showing a secret.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { modeOf, readKeys } from './keys.ts'

const good = { STRIPE_SECRET_KEY: 'sk_test_abc', STRIPE_WEBHOOK_SECRET: 'whsec_abc' }

test('reads the keys of one mode', () => {
  assert.deepEqual(readKeys(good), {
    secretKey: 'sk_test_abc', webhookSecret: 'whsec_abc', publishableKey: undefined, mode: 'test', apiUrl: undefined,
  })
  const live = {
    STRIPE_SECRET_KEY: ' rk_live_x\n', STRIPE_WEBHOOK_SECRET: 'whsec_y', STRIPE_PUBLISHABLE_KEY: 'pk_live_z',
  }
  assert.equal(readKeys(live).mode, 'live')
  assert.equal(readKeys(live).secretKey, 'rk_live_x')
  assert.equal(modeOf('sk_test_'), undefined)
})

const wrong: [string, Record<string, string>, RegExp[]][] = [
  ['nothing is set', {}, [/STRIPE_SECRET_KEY is missing/, /STRIPE_WEBHOOK_SECRET is missing/]],
  ['the keys are swapped', { ...good, STRIPE_SECRET_KEY: 'pk_test_shown' }, [/STRIPE_SECRET_KEY is no secret key/]],
  ['the modes differ', { ...good, STRIPE_PUBLISHABLE_KEY: 'pk_live_x' }, [/live key and STRIPE_SECRET_KEY a test key/]],
  ['it is no publishable key', { ...good, STRIPE_PUBLISHABLE_KEY: 'sk_test_x' }, [/is no publishable key/]],
  ['it is no signing secret', { ...good, STRIPE_WEBHOOK_SECRET: 'gibberish' }, [/is no signing secret/]],
  ['another address is in production', { ...good, NODE_ENV: 'production', STRIPE_API_URL: 'http://other' }, [
    /in production/]],
]
for (const [what, environment, messages] of wrong) {
  test(`refuses to start when ${what}`, () => {
    assert.throws(() => readKeys(environment), ({ message }: Error) => {
      for (const expected of messages) assert.match(message, expected)
      for (const secret of Object.values(environment)) {
        assert.ok(secret === 'production' || !message.includes(secret), 'it shows a secret')
      }
      return true
    })
  })
}
