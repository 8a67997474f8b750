// The adapter to begin from keeps the contract, and a page says so: docs/add-a-gateway.md shows what stands here.
import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gatewayContract } from '../../src/modules/payments/gateway-contract.ts'
import { startSimulator } from '../simulator/gateway.ts'
import { sample, sampleGateway } from './sample.ts'

const secret = 'sample-secret'

gatewayContract('the sample', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kontor-sample-'))
  const bank = await startSimulator({ dataDir, secret })
  t.after(async () => {
    await bank.stop()
    rmSync(dataDir, { recursive: true })
  })
  return {
    gateway: sampleGateway({ url: bank.url, secret }),
    unreachable: sampleGateway({ url: 'http://127.0.0.1:1', secret }),
    data: {
      good: {}, declined: { fault: 'decline' }, technical: { fault: 'unavailable' }, action: { fault: 'action' },
      lostBefore: { fault: 'drop_before_charge' }, lostAfter: { fault: 'charge_then_drop' },
    },
    answer: (url, agrees) => fetch(url, {
      method: 'POST', body: `answer=${agrees ? 'yes' : 'no'}`, redirect: 'manual',
    }),
    webhook: (told, secondsAgo = 0) => {
      const raw = Buffer.from(JSON.stringify({
        eventId: randomUUID(), about: 'charge', account: 'sim_account', amountMinor: null, currency: null, ...told,
      }))
      const timestamp = String(Math.floor(Date.now() / 1_000) - secondsAgo)
      const signature = createHmac('sha256', secret).update(`${timestamp}.`).update(raw).digest('hex')
      return { raw, headers: { 'x-simulator-timestamp': timestamp, 'x-simulator-signature': signature } }
    },
  }
})

test('a shop without its secrets does not start', async () => {
  assert.throws(() => sample().setup({} as never), /SAMPLE_URL and SAMPLE_SECRET/)
})

test('it is as short as the page says, and the page links what is there', () => {
  const lines = readFileSync(join(import.meta.dirname, 'sample.ts'), 'utf8').split('\n').length
  assert.ok(lines < 150, `${lines} lines`)
  const docs = join(import.meta.dirname, '../../docs')
  const page = readFileSync(join(docs, 'add-a-gateway.md'), 'utf8')
  for (const [, link] of page.matchAll(/\]\((\.\.?\/[^)#]+)\)/g)) readFileSync(join(docs, link!))
  const contract = readFileSync(join(docs, '../src/modules/payments/gateway.ts'), 'utf8')
  for (const [, property] of page.matchAll(/^\| `(\w+)` \|/gm)) {
    assert.match(contract, new RegExp(`\\b${property}\\b`), `the page explains ${property}, which is not in gateway.ts`)
  }
})
