// Every operation refuses everybody who may not, and the matrix would notice if one did not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Access, Route } from '../src/platform/http.ts'
import { openGround } from './ground.ts'
import { nameOf, operations, tableOf, tryMatrix } from './matrix.ts'

test('every operation × everybody who may not: no leak', async (t) => {
  const ground = await openGround(t)
  const cells = await tryMatrix(ground)
  assert.deepEqual(cells.filter(({ leak }) => leak), [], tableOf(cells.filter(({ leak }) => leak)))
  assert.equal(new Set(cells.map(({ operation }) => operation)).size, operations.length)
  t.diagnostic(`${operations.length} operations, ${cells.length} cells, 0 leaks`)

  await t.test('an operation that asks for less than it says is noticed', async () => {
    // As if the code of the route had been given a weaker access than its contract says.
    const contract = (method: string, path: string, access: Access): Route =>
      ({ ...operations.find((one) => one.method === method && one.path === path)!, access })
    const weak = [
      contract('GET', '/admin/me', { permission: 'orders:read' }),
      contract('GET', '/store/products', { permission: 'catalog:read' }),
      contract('GET', '/health', 'staff'), contract('GET', '/store/channel', 'customer'),
    ]
    const cells = await tryMatrix(await openGround(t), weak)
    const noticed = cells.filter(({ leak }) => leak).map(({ operation }) => operation)
    assert.deepEqual([...new Set(noticed)], weak.map(nameOf))
  })

  await t.test('an operation that is open by mistake has no row', async () => {
    const open = { ...operations.find(({ path }) => path === '/admin/orders')!, access: 'public' as const }
    await assert.rejects(tryMatrix(ground, [open]), /GET \/admin\/orders is open to everybody/)
  })
})
