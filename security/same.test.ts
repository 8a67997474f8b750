// What exists cannot be told from what does not, and a shop where it can be would be noticed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { InjectOptions } from 'fastify'
import { openGround, type Answer } from './ground.ts'
import { pairsOf, trySame } from './same.ts'

const PAIRS = 12               // too few to judge time by (npm run security -- same does), enough for the words

test('answers do not tell whether an account, an order, a cart or a key exists', async (t) => {
  const ground = await openGround(t)
  const compared = await trySame(ground, await pairsOf(ground, PAIRS), PAIRS)
  assert.deepEqual(compared.filter(({ wrong }) => wrong && !wrong.startsWith('takes')), [])
  assert.equal(compared.length, 11)
})

test('another word, another header, another status and another time are noticed', async () => {
  const answer: Answer = { status: 401, text: '{"title":"No"}', headers: { 'content-length': '14', date: 'today' } }
  const pair = {
    name: 'pair', there: (): InjectOptions => ({ url: '/there' }), absent: (): InjectOptions => ({ url: '/absent' }),
  }
  const wrongOf = async (there: Partial<Answer>, afterMs = 0): Promise<string | undefined> => {
    const ask = async (options: InjectOptions): Promise<Answer> => {
      if (options.url !== '/there') return answer
      if (afterMs > 0) await sleep(afterMs)
      return { ...answer, ...there }
    }
    return (await trySame({ ask }, [pair], 40))[0]!.wrong
  }
  assert.equal(await wrongOf({}), undefined)
  assert.equal(await wrongOf({ headers: { ...answer.headers, date: 'tomorrow' } }), undefined)
  assert.match(await wrongOf({ text: '{"title":"No!"}' }) ?? '', /^there: 401 \{"title":"No!"\}/)
  assert.match(await wrongOf({ status: 404 }) ?? '', /^there: 404/)
  assert.match(await wrongOf({ headers: { ...answer.headers, 'x-cache': 'hit' } }) ?? '', /x-cache: hit/)
  assert.match(await wrongOf({ status: 429 }) ?? '', /nothing was compared/)
  assert.match(await wrongOf({}, 4) ?? '', /^takes .* ms for what is there/)
})
