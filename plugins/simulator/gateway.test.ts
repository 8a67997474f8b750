// The simulator keeps the contract of a real gateway, also with poorer habits, and its bank forgets nothing when it is
// killed.
import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gatewayContract, testCharge } from '../../src/modules/payments/gateway-contract.ts'
import { Bank, KeyReused } from './bank.ts'
import { simulatorGateway, startSimulator } from './gateway.ts'

const folder = (t: { after: (fn: () => unknown) => void }): string => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kontor-bank-'))
  t.after(() => rmSync(dataDir, { recursive: true }))
  return dataDir
}

gatewayContract('the simulator', async (t) => {
  const bank = await startSimulator({ dataDir: folder(t) })
  t.after(() => bank.stop())
  return {
    gateway: simulatorGateway({ url: bank.url }),
    unreachable: simulatorGateway({ url: 'http://127.0.0.1:1' }),
    data: {
      good: {}, declined: { token: 'fault:decline' }, technical: { fault: 'unavailable' }, action: { fault: 'action' },
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
      const signature = createHmac('sha256', 'simulator-secret').update(`${timestamp}.`).update(raw).digest('hex')
      return { raw, headers: { 'x-simulator-timestamp': timestamp, 'x-simulator-signature': signature } }
    },
  }
})

test('a killed bank reads its log back; half a line is forgotten, and the one after it is whole', (t) => {
  const path = join(folder(t), 'bank.jsonl')
  const wish = { amountMinor: 500, currency: 'EUR', capture: true, faults: [] }
  const first = new Bank(path)
  const { reference } = first.charge('a', wish)
  first.operate('r', { reference, kind: 'refund', amountMinor: 200 })
  first.close()
  appendFileSync(path, '\n{"charge":{"key":"b","amo')
  const second = new Bank(path)
  second.charge('c', wish)
  second.close()
  const third = new Bank(path)
  t.after(() => third.close())
  assert.deepEqual([...third.charges.keys()], ['a', 'c'])
  assert.equal(third.charge('a', wish).refundedMinor, 200)
  assert.equal(third.operate('r', { reference, kind: 'refund', amountMinor: 200 }).error, undefined)
  assert.equal(third.charge('a', wish).refundedMinor, 200)
  assert.throws(() => third.charge('a', { ...wish, amountMinor: 501 }), KeyReused)
})

test('a bank that was started anew elsewhere is found again, and nothing is charged twice', async (t) => {
  const dataDir = folder(t)
  const first = await startSimulator({ dataDir, secret: 'first' })
  let second: Awaited<ReturnType<typeof startSimulator>> | undefined
  const gateway = simulatorGateway({
    url: first.url, secret: 'first', findAgain: async () => second && { url: second.url, secret: 'second' },
  })
  const charge = testCharge({}, { amountMinor: 700 })
  const charged = await gateway.charge(charge)
  await first.stop()
  await assert.rejects(gateway.lookUp({ key: charge.key, reference: null }), 'nobody knows where it is')
  second = await startSimulator({ dataDir, secret: 'second' })
  t.after(() => second!.stop())
  assert.deepEqual(await gateway.lookUp({ key: charge.key, reference: null }), charged)
  assert.deepEqual(await gateway.charge(charge), charged)
  assert.equal((await (await fetch(`${second.url}/charges`)).json() as unknown[]).length, 1)
})

test('a shop that refuses the webhooks that come first is answered all the same', async (t) => {
  const busy = http.createServer((_, response) => response.writeHead(503).end())
  await once(busy.listen(0, '127.0.0.1'), 'listening')
  t.after(() => busy.close())
  const { port } = busy.address() as AddressInfo
  const bank = await startSimulator({ dataDir: folder(t), whileMs: 200, webhookUrl: `http://127.0.0.1:${port}/` })
  t.after(() => bank.stop())
  const gateway = simulatorGateway({ url: bank.url, properties: { timeoutMs: 10_000 } })
  const answer = await gateway.charge(testCharge({ fault: 'webhook_first' }))
  // Repeating two messages until it gives up takes the bank 12 s: longer than an adapter waits.
  assert.equal(answer.kind, 'captured')
})
