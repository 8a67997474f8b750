// What a password must be, after NIST 800-63B-4: long, and none that everybody tries first. No rules of composition:
// they make passwords that are hard for people and easy for machines. 15 characters, because a second factor is
// not demanded of everybody.
import { isCommon } from './common-passwords.ts'
import { PasswordRefused } from './identity.ts'

const MIN_LENGTH = 15

// What remains of a password once repetition, digits and signs around it are taken off is looked up as well: that is
// the usual way to stretch "password" to fifteen characters. These are not in the list of common-passwords.ts, which
// was leaked by people who speak English.
const COMMON = new Set(`
  password passwort motdepasse contrasena senha parola letmein welcome willkommen bienvenue admin administrator
  root master login access secret geheim changeme default guest user test testing qwerty qwertyuiop qwertz
  qwertzuiop azerty azertyuiop asdfgh asdfghjkl zxcvbn zxcvbnm yxcvbnm iloveyou ichliebedich jetaime monkey
  dragon football baseball basketball soccer hockey superman batman starwars pokemon sunshine princess shadow
  michael jennifer jordan ashley daniel charlie trustno whatever freedom hello hallo bonjour abc abcdef abcdefg
  abcdefgh abcdefghijklmno abcdefghijklmnop cheese computer internet samsung google facebook linkedin cookie
  flower summer winter spring autumn sommer correcthorsebatterystaple shop store onlineshop kontor owner manager
  p pass word passphrase thisisapassword thisismypassword mypassword mypasswordis letmeinplease iloveyousomuch
`.trim().split(/\s+/))

// Shorter ones are found in passwords that a machine made of digits, and say nothing there.
const CORE = 4

const RUNS = [
  '01234567890123456789', '98765432109876543210', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
]

// Signs that stand for letters: p4$$w0rd.
const LIKE: Record<string, string> = { '@': 'a', 4: 'a', 0: 'o', 1: 'i', 3: 'e', $: 's', 5: 's' }

/** Throws PasswordRefused with its reason. `personal`: what belongs to the person, such as name and e-mail address. */
export function checkPassword(password: string, personal: readonly string[]): void {
  const plain = password.normalize('NFKC').toLowerCase()
  if ([...plain].length < MIN_LENGTH) {
    throw PasswordRefused(
      { reason: 'too-short' }, `It needs ${MIN_LENGTH} characters: a few words in a row are easy to remember.`
    )
  }
  const inner = plain.replace(/^\P{L}+|\P{L}+$/gu, '')
  const words = [inner, inner.replace(/[@4013$5]/g, (sign) => LIKE[sign]!)]
  const cores = words.map((word) => shortestUnit(word.replace(/\P{L}/gu, '')))
  const common = isCommon(plain) || cores.some((core) => COMMON.has(core) || (core.length >= CORE && isCommon(core)))
  if (common || [...shortestUnit(plain)].length <= 4 || RUNS.some((run) => run.repeat(3).includes(plain))) {
    throw PasswordRefused({ reason: 'too-common' }, 'It is among the first that anybody would try.')
  }
  const own = personal.flatMap((text) => text.toLowerCase().split(/[^\p{L}\p{N}]+/u)).filter((part) => part.length > 2)
  const rest = own.toSorted((a, b) => b.length - a.length).reduce((left, part) => left.replaceAll(part, ''), plain)
  if (rest !== plain && [...rest].length < 8) {
    throw PasswordRefused({ reason: 'personal' }, 'It is little more than the own name or e-mail address.')
  }
}

// "abcabcab" is "abc" in a row.
function shortestUnit(text: string): string {
  for (let length = 1; length <= text.length / 2; length++) {
    if (text.slice(0, length).repeat(Math.ceil(text.length / length)).startsWith(text)) return text.slice(0, length)
  }
  return text
}
