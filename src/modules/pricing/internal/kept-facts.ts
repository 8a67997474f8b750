// What quotes are computed from, kept in memory, because a shopper's cart is priced five times on the way to an order
// and its facts hardly ever change. Nothing kept is believed: each quote asks in its own trip whether anything that a
// price rests on was committed since, which costs a tenth of reading it, so a change in the next room counts for the
// very next quote. What depends on who asks, or on what others used up, is not kept: coupons and limited promotions.
import type { Conn } from '../../../platform/db.ts'
import { KEPT_FOR_MS, termsChanged, type Validity } from '../../../platform/terms.ts'
import type { QuoteInput } from '../calculate-quote.ts'
import type { QuoteRequest } from '../pricing.ts'

type Line = QuoteInput['lines'][number]
type Terms = Pick<QuoteInput, 'pricesIncludeTax' | 'taxRates' | 'deliveryRates' | 'candidates'>
export type Facts = Terms & { lines: Line[] }

// All that was read since the same snapshot, and is forgotten together.
type Kept = Validity & { terms: Map<string, Terms>; lines: Map<string, Line>; since: number }

const LINES_AT_MOST = 20_000         // some 10 MB
const TERMS_AT_MOST = 2_000          // a region is whatever an address says
const keptOf = new WeakMap<object, Kept>()

const termsKey = ({ channelId, currency, country, region, shippingMethodId }: QuoteRequest): string =>
  [channelId, currency, country, region, shippingMethodId].join('|')
const lineKey = (
  { channelId, currency }: QuoteRequest, { variantId, quantity }: Pick<Line, 'variantId' | 'quantity'>,
): string => [channelId, currency, variantId, quantity].join('|')

/** The facts of this request if all of them are known and still true. At most one statement. */
export async function recallFacts(conn: Conn, request: QuoteRequest): Promise<Facts | undefined> {
  const kept = keptOf.get(conn.root)
  if (!kept || request.couponCodes.length > 0) return undefined
  if (kept.since + KEPT_FOR_MS < performance.now()) return forget(conn, kept)
  const terms = kept.terms.get(termsKey(request))
  const lines = request.lines.map((line) => kept.lines.get(lineKey(request, line)))
  if (!terms || !lines.every((line) => line !== undefined)) return undefined
  // The same variant twice is priced as one line, by the sum.
  if (new Set(lines.map(({ variantId }) => variantId)).size < lines.length) return undefined
  return await termsChanged(conn, kept) ? forget(conn, kept) : { ...terms, lines }
}

function forget(conn: Conn, kept: Kept): undefined {
  if (keptOf.get(conn.root) === kept) keptOf.delete(conn.root)
}

type Read = { facts: Facts; validity: Validity; outdated: boolean }

/**
 * Asked before facts are read: what else is kept, to be compared in the same statement, and what keeps the facts that
 * were read then, unless something was forgotten meanwhile.
 */
export function keeping(conn: Conn, request: QuoteRequest): { kept: Validity | undefined; keep: (read: Read) => void } {
  const before = keptOf.get(conn.root)
  return {
    kept: before,
    keep({ facts: { lines, ...terms }, validity, outdated }) {
      if (keptOf.get(conn.root) !== before) return
      if (request.couponCodes.length > 0 || terms.candidates.some(({ limited }) => limited)) return
      const full = before && (before.lines.size >= LINES_AT_MOST || before.terms.size >= TERMS_AT_MOST)
      const kept = before && !outdated && !full ? before
        : { ...validity, terms: new Map(), lines: new Map(), since: performance.now() }
      // What is kept already was true of an older snapshot: whatever changes after that one is told.
      if (validity.until !== null && (kept.until === null || validity.until < kept.until)) kept.until = validity.until
      kept.terms.set(termsKey(request), terms)
      for (const line of lines) kept.lines.set(lineKey(request, line), line)
      keptOf.set(conn.root, kept)
    },
  }
}
