// Every hostile file is refused as declared or made anew; and a library that serves what it was given is noticed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../bench/random.ts'
import { openGround, type Answer } from './ground.ts'
import { corpus, damaged, tryUpload, type Upload } from './upload.ts'

test('files that are meant to harm are refused, or made anew', async (t) => {
  const ground = await openGround(t)
  const wrong: string[] = []
  for (const upload of [...await corpus(), ...await damaged(randomFrom(1), 40)]) {
    wrong.push(...[await tryUpload(ground, upload)].filter((one) => one !== undefined))
  }
  assert.deepEqual(wrong, [])
})

test('what is taken, served as it came, or answered with an error of our own is noticed', async () => {
  const [svg] = await corpus()
  const sound: Answer = { status: 200, text: 'RIFF', headers: {
    'content-type': 'image/webp', 'x-content-type-options': 'nosniff',
  } }
  const unjudged: Upload = { name: 'a', body: svg!.body }
  const wrongOf = (stored: Partial<Answer>, served: Partial<Answer> = {}, upload = unjudged) =>
    tryUpload({ staff: async () => ({}), ask: async ({ url }) => (url === '/admin/media'
      ? { status: 201, headers: {}, text: '{"filename":"a","sizes":[{"url":"/media/a"}]}', ...stored }
      : { ...sound, ...served }) }, upload)
  assert.equal(await wrongOf({}), undefined)
  assert.match(await wrongOf({}, {}, svg!) ?? '', /it was taken$/)
  assert.match(await wrongOf({ status: 500 }) ?? '', /: 500/)
  assert.match(await wrongOf({ text: '{"filename":"../a","sizes":[]}' }) ?? '', /it is named/)
  assert.match(await wrongOf({}, { text: 'RIFF <script>' }) ?? '', /holds what was sent/)
  assert.match(await wrongOf({}, { headers: { 'content-type': 'text/html' } }) ?? '', /is text\/html/)
  assert.match(await wrongOf({}, { headers: { 'content-type': 'image/webp' } }) ?? '', /no nosniff/)
})
