// No spelling of an address, and no trick with lengths, gets past the gate or keeps the next one waiting.
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { openGround } from './ground.ts'
import { corpus, judge, shoot } from './raw.ts'

test('bytes on a socket: nobody is let in, and somebody else is answered', async (t) => {
  const { app } = await openGround(t)
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const found: string[] = []
  for (const shot of corpus) {
    const wrong = judge(shot, await shoot(port, shot))
    if (wrong) found.push(wrong)
    const next = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(5_000) })
    assert.equal(next.status, 200, `after ${shot.name}`)
  }
  assert.deepEqual(found, [])
  t.diagnostic(`${corpus.length} shots`)

  // The gate of this one is open: every spelling that reaches it is noticed.
  assert.equal(judge({ name: 'open', bytes: '', allowed: [401] }, [200]), 'open: answered 200')
  const health = 'GET /health HTTP/1.1\r\nhost: x\r\n\r\n'
  assert.deepEqual(await shoot(port, { name: 'open', bytes: health, allowed: [] }), [200])
  const both = { name: 'two in one', bytes: health.repeat(2), allowed: [] }
  assert.deepEqual(await shoot(port, both), [200, 200], 'a second answer would be seen')
})
