// What the readers make of files as they come: both generations of Shopify, every kind of WooCommerce product,
// spreadsheets' habits, and damage, which is named by line, column and reason and never takes a neighbour along.
import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { decimalOf } from './cells.ts'
import { openCsv, UnreadableFile } from './csv.ts'
import type { ImportedProduct, ImportItem, OpenFile } from './product.ts'
import { readShopify } from './shopify.ts'
import { readWooCommerce } from './woocommerce.ts'

const bytes = (content: Uint8Array, size = content.length): OpenFile => () => Readable.from((function* () {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
})())
const text = (content: string): OpenFile => bytes(Buffer.from(content))
const sample = (name: string): OpenFile => () => createReadStream(join(import.meta.dirname, 'samples', name))

async function read(reader: typeof readShopify, open: OpenFile, encoding?: string) {
  const items: ImportItem[] = await Array.fromAsync(
    reader(open, { currency: 'EUR', ...(encoding ? { encoding } : {}) })
  )
  return {
    products: items.flatMap((item): ImportedProduct[] => (item.kind === 'product' ? [item.product] : [])),
    refused: items.flatMap((item) => (item.kind === 'refused' ? [`${item.line} ${item.column}`.trim()] : [])),
    notices: items.flatMap(
      (item) => (item.kind === 'notice' && item.line > 1 ? [`${item.line} ${item.column}`.trim()] : [])
    ),
    items,
  }
}

describe('CSV', () => {
  const rowsOf = async (open: OpenFile, encoding?: string) => {
    const { header, rows } = await openCsv(open, encoding)
    return { header, rows: (await Array.fromAsync(rows)).map(
      (row) => ('cells' in row ? row.cells : `${row.line} ${row.column}`)
    ) }
  }

  test('any line end, delimiter, BOM, and any cut into chunks', async () => {
    for (const content of ['a,b\n1,"x\ny"\n', '\ufeffa;b\r\n1;"x\ny"', 'a\tb\r1\t"x\ny"\r', 'a|b\n\n1|"x\ny"\n|\n']) {
      for (const size of [1, 2, 3, 100]) {
        assert.deepEqual(await rowsOf(bytes(Buffer.from(content), size)), {
          header: ['a', 'b'], rows: [['1', 'x\ny']],
        }, JSON.stringify(content))
      }
    }
  })

  test('quotes inside quotes, doubled or not, and quotes in plain cells', async () => {
    const { rows } = await rowsOf(text('a,b\n"6"" nails",12" pipe\n"6" nails",x\n'))
    assert.deepEqual(rows, [['6" nails', '12" pipe'], ['6" nails', 'x']])
  })

  test('a quote left open costs its own row', async () => {
    const content = `a,b\n1,ok\n2,"open\n3,"x"\n4,ok\n5,"also\nnever closed`
    assert.deepEqual((await rowsOf(text(content))).rows, [['1', 'ok'], '3 ', ['3', 'x'], ['4', 'ok'], '6 '])
  })

  test('a file that breaks off in a row loses that row; one that only lacks the last line end does not', async () => {
    assert.deepEqual((await rowsOf(text('a,b,c\n1,2,3\n4,5'))).rows, [['1', '2', '3'], '3 '])
    assert.deepEqual((await rowsOf(text('a,b,c\n1,2\n4,5,6'))).rows, [['1', '2'], ['4', '5', '6']])
  })

  test('UTF-16, Latin-1 by name, and bytes that are neither', async () => {
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('a\tb\n1\tTörn\n', 'utf16le')])
    assert.deepEqual((await rowsOf(bytes(utf16, 5))).rows, [['1', 'Törn']])
    const latin = Buffer.from('a,b\n1,T\xf6rn\n2,ok\n', 'latin1')
    assert.deepEqual((await rowsOf(bytes(latin), 'windows-1252')).rows, [['1', 'Törn'], ['2', 'ok']])
    assert.deepEqual((await rowsOf(bytes(latin))).rows, ['2 b', ['2', 'ok']])
  })

  test('what is no such file says so', async () => {
    const cases: [OpenFile, RegExp][] = [
      [text(''), /empty/], [
        bytes(Buffer.from('PK\x03\x04 workbook')), /workbook/,
      ], [bytes(Buffer.from([1, 2, 0, 3, 4, 5])), /no text/],
      [
        text('Name,Type,Regular price\n'), /Shopify product file.*looks like a WooCommerce/s,
      ], [text('x,y\n1,2\n'), /Its first line reads: x, y/],
      [text('"Handle,Title\n'), /quote/],
    ]
    for (const [open, message] of cases) await assert.rejects(read(readShopify, open), message)
    assert.deepEqual((await read(readShopify, text('Handle,Title\r\n'))).items, [])
  })
})

test('whatever the file, a reader ends with items or a sentence', async () => {
  const piece = fc.constantFrom(...',;\t"\n\r\0=\\\'>| '.split(''), '""', '\ufeff', '\xff', 'Handle', 'Title', 'Type',
  'Name', 'Parent', 'SKU',
    'id:1', 'variable', 'variation', 'simple', 'Attribute 1 name', 'Attribute 1 value(s)', 'Variant Price', '1e999',
      '-1', '9'.repeat(40))
  const anything = fc.array(piece, { maxLength: 60 }).map((pieces) => Buffer.from(pieces.join(''), 'latin1'))
  const headers = fc.constantFrom(
    '', 'Handle,Title,Variant Price,Option1 Value\n', 'ID,Type,Name,SKU,Parent,Attribute 1 name,Attribute 1 value(s)\n'
  )
  await fc.assert(fc.asyncProperty(headers, anything, fc.integer({ min: 1, max: 50 }), async (header, body, size) => {
    for (const reader of [readShopify, readWooCommerce]) {
      try {
        await read(reader, bytes(Buffer.concat([Buffer.from(header), body]), size))
      } catch (error) {
        assert.ok(error instanceof UnreadableFile, (error as Error).stack)
      }
    }
  }), { numRuns: 1_000 })
})

test('a quote left open on every line costs time in proportion', async () => {
  const content = 'a,b\n' + '1,"open\n'.repeat(40_000)
  const { rows } = await openCsv(text(content))
  let count = 0
  for await (const row of rows) count += 'problem' in row ? 1 : 0
  assert.equal(count, 40_000)
})

test('numbers have one meaning or none', () => {
  const cases: Record<string, string | undefined> = {
    '12': '12', '12.50': '12.50', '12,50': '12.50', '1,299.00': '1299.00', '1.299,00': '1299.00', '1 299,00': '1299.00',
    "1'299.00": '1299.00',
    '1.299.000': '1299000', '0,125': '0.125', '.5': '0.5', '-3': '-3', '1,299': undefined, '1e3': undefined,
    '12 €': undefined, 'NaN': undefined,
    '٣': undefined, '1.2.3': undefined, '--1': undefined,
  }
  for (const [written, meant] of Object.entries(cases)) assert.equal(decimalOf(written), meant, written)
})

describe('Shopify', () => {
  test('the sample: variants, images, a product whose rows are apart, a bad price', async () => {
    const { products, refused, notices } = await read(readShopify, sample('shopify.csv'))
    assert.deepEqual(refused, ['6 Variant Price'])
    assert.deepEqual(notices, ['4 Variant Inventory Qty'])
    const [stool, bag] = products.toSorted((a, b) => a.line - b.line)
    assert.deepEqual(
      stool!.options, [{ name: 'Height', values: ['45 cm', '60 cm'] }, { name: 'Finish', values: ['Oiled', 'Soaped'] }]
    )
    assert.deepEqual(
      stool!.images.map(({ url }) => url.split('/').at(-1)), ['stool-side.jpg', 'stool.jpg', 'stool-top.jpg']
    )
    assert.equal(stool!.variants[0]!.barcode, '4006381333931')
    assert.deepEqual(
      stool!.variants.map(({ quantity, backorder }) => [quantity, backorder]), [[8, false], [0, true], [4, false]]
    )
    assert.deepEqual([bag!.options, bag!.variants[0]!.options], [[], {}])
  })

  test('the newer columns', async () => {
    const { products } = await read(readShopify, text(
      'Title,URL handle,Description,Published on online store,Status,SKU,Option1 name,Option1 value,Price,Compare-at ' +
        'price,Charge tax,' +
      'Inventory tracker,Inventory quantity,Continue selling when out of stock,Weight value (grams),Product image ' +
        'URL\n' +
      'Cap,cap,<p>Blue</p>,TRUE,Active,CAP-S,Size,S,19.90,25.00,FALSE,shopify,3,CONTINUE,80,' +
      '//cdn.example.com/cap.jpg\n'))
    const [{ variants: [variant], images }] = products as [ImportedProduct]
    assert.deepEqual([
      variant!.priceMinor, variant!.compareAtMinor, variant!.taxClass, variant!.backorder,
    ], [1_990, 2_500, 'zero', true])
    assert.equal(images[0]!.url, 'https://cdn.example.com/cap.jpg')
  })

  test('each kind of bad row is named, and the rest goes in', async () => {
    const header = 'Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Grams,Variant ' +
      'Inventory Qty,Published\n'
    const { products, refused, notices } = await read(readShopify, text(`${header}${[
      'a,A,Size,S,A1,1.00,5,1,true', 'a,,,M,A2,-1,5,1,', 'a,,,L,A3,"1,299",5,1,', 'a,,,XL,A4,1.005,5,1,',
      'a,,,XXL,A5,1,999999999,1,', 'a,,,S,A6,1,5,1,',
      'a,,,3XL,A7,1,5,1.5,', ',,,,,,,,', 'a,,,4XL,A8,99999999999999999999,5,1,', 'b,,Size,S,B1,1,5,1,true',
      'b,,,M,B2,1,5,1,', `c,${'x'.repeat(301)},,,C1,1,5,1,true`,
      'c,,,M,C2,1,5,1,', 'd,D,,,A1,,5,1,true', ',,,,E1,5,5,1,true', 'f,F,,,F1,1,5,1,perhaps',
      'g,G,,,G1,1,5,1,true,surplus',
    ].join('\n')}\n`))
    assert.deepEqual(products.map(({ handle, variants }) => `${handle} ${variants.length}`), ['a 1', 'd 1'])
    assert.deepEqual(refused, ['3 Variant Price', '4 Variant Price', '5 Variant Price', '6 Variant Grams',
    '8 Variant Inventory Qty',
      '10 Variant Price', '13 Title', '16 Handle', '17 Published', '18', '7 Option1 Value', '11 Title', '12', '14'])
    assert.deepEqual(notices, ['15 Variant Price', '15 Variant SKU'])
  })

  test('ten thousand products need no more memory than a few hundred', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage: () => void = runInNewContext('gc')
    const open: OpenFile = () => Readable.from((function* () {
      yield Buffer.from('Handle,Title,Body (HTML),Option1 Name,Option1 Value,Variant SKU,Variant Price\n')
      for (let number = 0; number < 10_000; number++) {
        const [handle, sku] = [`a-rather-long-handle-${number}`, `A-RATHER-LONG-SKU-${number}`]
        yield Buffer.from(
          `${handle},P ${number},"${'long '.repeat(800)}",Size,S,${sku}-S,1.00\n${handle},,,,M,${sku}-M,2.00\n`
        )
      }
    })())
    const heaps: number[] = []
    let products = 0
    for await (const item of readShopify(open, { currency: 'EUR' })) {
      if (item.kind !== 'product' || ++products % 3_000 !== 1_000) continue
      collectGarbage()
      heaps.push(process.memoryUsage().heapUsed)
    }
    assert.equal(products, 10_000)
    // Handles and SKUs are remembered, some 3 MB; the file has 42.
    assert.ok(heaps.at(-1)! - heaps[0]! < 10_000_000, `the heap grew from ${heaps[0]} to ${heaps.at(-1)}`)
  })
})

describe('WooCommerce', () => {
  test('the sample: variations in any order, open ones, a sale, kinds that are no goods', async () => {
    const { products, refused, notices, items } = await read(readWooCommerce, sample('woocommerce.csv'))
    assert.deepEqual(refused, ['9 Parent'])
    assert.deepEqual(notices, ['4', '7 External URL', '7 Regular price', '8 Grouped products'])
    const [rug, mat, cleaning, loom] = products as [ImportedProduct, ImportedProduct, ImportedProduct, ImportedProduct]
    assert.deepEqual(rug.variants.map(({ options, sku, priceMinor, weightGrams, quantity }) => [
      Object.values(options).join(), sku, priceMinor, weightGrams, quantity,
    ]), [
      ['Small,Red', 'RUG-S-R', 4_990, 1_134, 4], ['Large,Red', 'RUG-L', 129_900, 1_361, 4], [
        'Large,Blue', 'RUG-L-blue', 129_900, 1_361, 3,
      ],
    ])
    assert.equal(rug.descriptionHtml, 'Hand-woven.\nWool on cotton.\nTurn it once a year.')
    assert.deepEqual(rug.categories, [['Home', 'Textiles', 'Rugs'], ['Sale, last pieces']])
    assert.deepEqual(rug.variants.map(({ taxClass }) => taxClass), ['reduced', 'reduced', 'reduced'])
    assert.deepEqual(mat.variants[0]!.sale, {
      priceMinor: 1_950, startsAt: '2026-01-01T00:00:00.000Z', endsAt: '2026-02-01T00:00:00.000Z',
    })
    assert.deepEqual(mat.attributes, { Material: ['Coir', 'Rubber'] })
    assert.deepEqual(
      [cleaning.variants[0]!.requiresShipping, cleaning.variants[0]!.taxClass, loom.status], [false, 'zero', 'draft']
    )
    const set = items.find((item) => item.kind === 'collection')
    assert.deepEqual(set?.collection.productHandles, ['door-mat', 'rug-cleaning'])
  })

  test('an empty cell, a German header and decimal commas', async () => {
    const { products } = await read(readWooCommerce, text(
      'ID;Typ;Artikelnummer;Name;Veröffentlicht;Vorrätig?;Lager;Gewicht (kg);Regulärer Preis;Kategorien;Attribut 1 ' +
        'Name;Attribut 1 Wert(e)\n' +
      '5;simple;K-1;Kanne;ja;1;12;0,75;24,90;Küche > Kannen;Material;Steingut\n'))
    const [{ variants: [variant], categories, attributes }] = products as [ImportedProduct]
    assert.deepEqual([variant!.priceMinor, variant!.weightGrams, variant!.quantity], [2_490, 750, 12])
    assert.deepEqual([categories, attributes], [[['Küche', 'Kannen']], { Material: ['Steingut'] }])
  })

  test('rows that cannot be read', async () => {
    const { products, refused } = await read(readWooCommerce,
      text('ID,Type,SKU,Name,Regular price,Sale price,Parent,Date sale price ends\n' + [
      '1,simple,A,A,1,,,', '1,simple,B,B,1,,,', '2,subscription,C,C,1,,,', '3,simple,D,,1,,,', '4,variable,E,E,,,,',
      '5,variation,F,F,1,,,',
      '6,simple,G,G,ten,,,', '7,simple,H,H,2,1,,31.03.2026', '8,simple,I,A,1,,,',
    ].join('\n')))
    assert.deepEqual(products.map(({ handle }) => handle), ['a', 'a-i'])
    assert.deepEqual(
      refused, ['3 ID', '4 Type', '5 Name', '7 Parent', '6 Type', '8 Regular price', '9 Date sale price ends']
    )
  })
})
