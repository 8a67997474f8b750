// What people hand over in place of a clean file: each is read, or named with the line and the cure, and costs no more
// than its own rows.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { UnreadableFile } from './csv.ts'
import type { ImportItem, OpenFile } from './product.ts'
import { readShopify } from './shopify.ts'

const HEADER = 'Handle,Title,Variant SKU,Variant Price'
const CLEAN = `${HEADER}\na,A,S1,1\n`

/** In pieces, as a disk gives them. */
const inPieces = (bytes: Buffer, size: number): OpenFile => () => Readable.from((function* () {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
})())

async function read(content: string | Buffer, size = 65_536) {
  const items: ImportItem[] = []
  const open = inPieces(Buffer.from(content), size)
  for await (const item of readShopify(open, { currency: 'EUR' })) items.push(item)
  return {
    products: items.flatMap((item) => (item.kind === 'product' ? [item.product.handle] : [])),
    refused: items.flatMap((item) => (item.kind === 'refused' ? [`${item.line}: ${item.reason}`] : [])),
    notices: items.flatMap((item) => (item.kind === 'notice' ? [`${item.reason}: ${item.value}`] : [])),
  }
}

test('files that are read all the same', async () => {
  const cases: Record<string, string | Buffer> = {
    'a BOM and Windows line ends': `\ufeff${CLEAN}`.replaceAll('\n', '\r\n'),
    'line ends of old Macs': CLEAN.replaceAll('\n', '\r'), 'UTF-16': Buffer.from(`\ufeff${CLEAN}`, 'utf16le'),
    semicolons: CLEAN.replaceAll(',', ';'), tabs: CLEAN.replaceAll(',', '\t'), 'no line end at the end': CLEAN.trim(),
    'blank lines before the header': `\r\n\n  \n${CLEAN}`, 'blank rows behind': `${CLEAN}\n,,,\n\n`,
    'ten thousand columns': CLEAN.replace('\n', `${',x'.repeat(10_000)}\n`),
  }
  for (const [name, content] of Object.entries(cases)) {
    for (const size of [3, 65_536]) {
      const { products, refused } = await read(content, size)
      assert.deepEqual({ products, refused }, { products: ['a'], refused: [] }, name)
    }
  }
  const { notices } = await read('Handle,Title,Title,Variant SKU,Variant Price\na,A,Z,S1,1\n')
  assert.deepEqual(notices, ['These columns are there twice, and the first is read: Title'])
})

test('files that are refused as a whole', async () => {
  const cases: [content: string | Buffer, message: RegExp][] = [
    ['', /is empty/], ['\n\n', /is empty/], [Buffer.from([7, 0, 255, 3, 0, 9]), /no text/],
    [Buffer.from('PK\u0003\u0004'), /ZIP/], ['Name,Price\na,1\n', /no Shopify product file.*"handle"/],
    [`"${HEADER}\n`, /Line 1: A quote/], [`${HEADER}${',x'.repeat(20_000)}\n`, /more columns/],
    [Buffer.from(CLEAN, 'utf16le'), /UTF-16 without the mark/],
  ]
  for (const [content, message] of cases) {
    await assert.rejects(read(content), (error) => error instanceof UnreadableFile && message.test(error.message))
  }
  assert.deepEqual((await read(`${HEADER}\n`)).products, [])
})

test('a row that is too long, is left open, or holds a NUL costs itself alone', async () => {
  const rows = (middle: string | Buffer) =>
    Buffer.concat([`${HEADER}\na,A,S1,1\n`, middle, '\nc,C,S3,3\nd,D,S4,x\n'].map((part) => Buffer.from(part)))
  const long = 'x'.repeat(10_000_000)
  const cases: [middle: string, reason: RegExp][] = [
    [`b,${long},S2,2`, /^3: The row is longer than a million bytes/],
    [`b,"${long}",S2,2\r`, /^3: The row is longer than a million bytes/],
    ['b,"B open,S2,2', /^3: A quote is opened here/], [`b,B${' '.repeat(5_000)}\0,S2,2`, /^3: The cell holds a NUL/],
    ['b,B,S2,2,more', /^3: The row has 5 cells/],
  ]
  for (const [middle, reason] of cases) {
    const { products, refused } = await read(rows(middle))
    assert.match(refused[0]!, reason)
    assert.deepEqual({ products, next: refused.slice(1) }, { products: ['a', 'c'], next: ['5: Not a number'] })
  }
})
