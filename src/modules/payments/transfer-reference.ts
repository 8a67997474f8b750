// What a bank transfer names, so that it finds its payment: a creditor reference of ISO 11649 (RF, two check digits,
// twelve signs), which banks' forms know and check. It follows from the attempt, so nobody has to keep a list.

const SIGNS = 12
const ALL = 36n ** BigInt(SIGNS)

/** The reference of an attempt: `RF41K3ZQ81W0VD7M`. */
export function transferReference(attemptId: string): string {
  // The end of a UUIDv7 is random: 62 bits, as many as twelve signs hold.
  const random = BigInt(`0x${attemptId.replaceAll('-', '').slice(-16)}`) % ALL
  const signs = random.toString(36).toUpperCase().padStart(SIGNS, '0')
  return `RF${String(98 - remainder(`${signs}RF00`)).padStart(2, '0')}${signs}`
}

/** The references that a text names, however people spaced it; those whose check digits fit. */
export function referencesIn(text: string): string[] {
  const plain = text.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')
  const found = [...plain.matchAll(/(?=(RF\d\d[A-Z0-9]{12}))/g)].map(([, reference]) => reference!)
  return [...new Set(found)].filter((one) => remainder(one.slice(4) + one.slice(0, 4)) === 1)
}

/** Letters count as 10 to 35; the number that comes of it, modulo 97. */
function remainder(text: string): number {
  return Number(BigInt([...text].map((sign) => parseInt(sign, 36)).join('')) % 97n)
}
