// Writes src/modules/identity/common-passwords.bin: the most common passwords as a Bloom filter. The list is that of
// @zxcvbn-ts/language-common 4.1.3 (MIT, see NOTICE), which is no dependency: it is needed here alone. In a folder of
// your own `npm pack @zxcvbn-ts/language-common@4.1.3`, unpack it, then
//   node scripts/generate-common-passwords.ts package/src/passwords.json
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { filterOf } from '../src/modules/identity/common-passwords.ts'

const FILTER = join(import.meta.dirname, '../src/modules/identity/common-passwords.bin')

const [list] = process.argv.slice(2)
if (!list) {
  console.error('Say where the list is: node scripts/generate-common-passwords.ts package/src/passwords.json')
  process.exit(1)
}
const listed = JSON.parse(readFileSync(list, 'utf8')) as string[]
const passwords = new Set(listed.map((password) => password.normalize('NFKC').toLowerCase()))
const filter = filterOf(passwords)
writeFileSync(FILTER, filter)
console.log(`${passwords.size} passwords in ${filter.length} bytes`)
