// Requests are counted by route, status and time, and told in the text format of Prometheus.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { counter, observeRequest, registry } from './metrics.ts'

test('the times of requests make a cumulative histogram for each route and status', async () => {
  const route = { method: 'GET', path: '/test' }
  for (const milliseconds of [0.5, 2, 2, 50, 20_000]) observeRequest(route, 200, milliseconds)
  observeRequest(route, 404, 1)
  const lines = (await registry.metrics()).split('\n').filter((line) => line.includes('route="/test"'))
  const value = (le: string): number =>
    Number(lines.find((line) => line.includes(`le="${le}"`) && line.includes('status="200"'))!.split(' ').at(-1))
  assert.deepEqual(['0.001', '0.003', '0.03', '0.1', '10', '+Inf'].map(value), [1, 3, 3, 4, 4, 5])
  assert.ok(lines.includes('kontor_http_request_seconds_count{method="GET",route="/test",status="200"} 5'))
  assert.ok(lines.includes('kontor_http_request_seconds_count{method="GET",route="/test",status="404"} 1'))
})

test('counters count', async () => {
  counter('test_total', 'A test', ['kind']).inc({ kind: 'x' })
  assert.match(await registry.metrics(), /kontor_test_total\{kind="x"\} 1/)
})
