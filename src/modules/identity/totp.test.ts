// The codes of RFC 6238 (appendix B, SHA-1) and the alphabet of RFC 4648.
import assert from 'node:assert/strict'
import test from 'node:test'
import { base32, stepAt, stepOf, totpCode, totpUrl } from './totp.ts'

const SECRET = Buffer.from('12345678901234567890')

test('the codes of RFC 6238', () => {
  const wanted = {
    59: '287082', 1_111_111_109: '081804', 1_111_111_111: '050471', 1_234_567_890: '005924', 2_000_000_000: '279037',
    20_000_000_000: '353130',
  }
  for (const [seconds, code] of Object.entries(wanted)) {
    assert.equal(totpCode(SECRET, stepAt(Number(seconds) * 1_000)), code, seconds)
  }
})

test('a code holds for its step and the one to each side', () => {
  const now = 1_234_567_890_000
  const found = [-2, -1, 0, 1, 2].map((apart) => {
    const step = stepAt(now) + apart
    return stepOf(SECRET, totpCode(SECRET, step), now) === step
  })
  assert.deepEqual(found, [false, true, true, true, false])
  for (const wrong of ['', '00592', '0059240', '٠٠٥٩٢٤', 'abcdef', ' 005924']) {
    assert.equal(stepOf(SECRET, wrong, now), undefined, wrong)
  }
})

test('the secret as apps take it', () => {
  const vectors = {
    '': '', f: 'MY', fo: 'MZXQ', foo: 'MZXW6', foob: 'MZXW6YQ', fooba: 'MZXW6YTB', foobar: 'MZXW6YTBOI',
  }
  for (const [plain, coded] of Object.entries(vectors)) assert.equal(base32(Buffer.from(plain)), coded)
  assert.equal(totpUrl({ secret: SECRET, issuer: 'shop.example', account: 'ada b@shop.example' }),
    'otpauth://totp/shop.example:ada%20b%40shop.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=shop.example')
})
