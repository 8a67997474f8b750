// The gate in front of the connections: order, shares, patience, bursts and overload.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Gate, type Rank } from './gate.ts'

const PATIENCE_MS = 5_000
const arrive = (gate: Gate, rank: Rank, count: number) =>
  Array.from({ length: count }, () => gate.enter(rank, PATIENCE_MS) ?? true)

test('who matters more enters first, and what has begun before all', async () => {
  const gate = new Gate(1)
  assert.equal(gate.enter('browse', PATIENCE_MS), undefined)
  const order: Rank[] = []
  const waiting = (['browse', 'cart', 'pay', 'begun', 'webhook', 'cart'] as const).map(async (rank) => {
    assert.equal(await gate.enter(rank, PATIENCE_MS), true)
    order.push(rank)
    gate.leave()
  })
  gate.leave()
  await Promise.all(waiting)
  assert.deepEqual(order, ['begun', 'webhook', 'pay', 'cart', 'cart', 'browse'])
  assert.equal(gate.waiting, 0)
  assert.equal(gate.enter('export', PATIENCE_MS), undefined)
})

test('however many browse, there are places left for those who pay', () => {
  const gate = new Gate(10)
  const entered = arrive(gate, 'browse', 50).filter((one) => one === true)
  assert.equal(entered.length, 6)
  assert.equal(arrive(gate, 'cart', 5).filter((one) => one === true).length, 2)
  assert.equal(arrive(gate, 'pay', 5).filter((one) => one === true).length, 2)
})

test('a burst of 400 is served, each in turn', async () => {
  const gate = new Gate(16)
  let served = 0
  await Promise.all(arrive(gate, 'pay', 400).map(async (entered) => {
    assert.equal(await entered, true)
    await sleep(20)
    served++
    gate.leave()
  }))
  assert.equal(served, 400)
})

test('who has waited too long is refused', async () => {
  const gate = new Gate(1)
  gate.enter('pay', PATIENCE_MS)
  assert.equal(await gate.enter('pay', 80), false)
  assert.equal(gate.waiting, 0)
})

test('in overload few wait, the rest is refused at once, the least important first, until it is over', async () => {
  const gate = new Gate(16)
  arrive(gate, 'pay', 16)
  const crowd = arrive(gate, 'browse', 300) as Promise<boolean>[]
  let came = 0
  const coming = setInterval(() => { came++; void gate.enter('pay', PATIENCE_MS) }, 10)
  await sleep(700)
  clearInterval(coming)
  assert.ok(gate.isFull('browse'))
  assert.ok(gate.waiting <= 72 + 16, `${gate.waiting} wait`)
  const refused = (await Promise.all(crowd.map((one) => Promise.race([one, 'waits'])))).filter((one) => one === false)
  assert.ok(refused.length >= 200, `${refused.length} of the crowd were refused`)
  assert.ok(came > 10 && !gate.isFull('webhook'))
  await sleep(150)
  while (gate.waiting > 0) gate.leave()
  assert.equal(gate.isFull('export'), false)
})
