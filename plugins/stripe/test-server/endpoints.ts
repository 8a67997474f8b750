// The endpoints of Stripe's API v1 that the adapter calls: their parameters, what they do to the books, and the objects
// that they answer, with what the request asked to have expanded.
import type { Books, Intent, Refund, Session } from './books.ts'
import { amount, invalid, missing, need, refuseUnknown, strings, text, type Tree } from './wire.ts'

export type Ask = { parts: string[]; body: string; tree: Tree }
type Endpoint = { method: string; path: RegExp; params: readonly string[]; run: (books: Books, ask: Ask) => object }

const ONE = '([A-Za-z]+_\\w+)'
const at = (path: string): RegExp => new RegExp(`^/v1/${path}$`)
const INTENT = [
  'amount', 'currency', 'capture_method', 'confirm', 'payment_method', 'confirmation_token', 'return_url',
  'metadata[]', 'expand[]', 'customer', 'setup_future_usage', 'off_session',
]
const SESSION = [
  'mode', 'client_reference_id', 'metadata[]', 'success_url', 'cancel_url', 'expires_at', 'expand[]',
  'payment_intent_data[capture_method]', 'payment_intent_data[metadata][]', 'line_items[][quantity]',
  'line_items[][price_data][currency]', 'line_items[][price_data][unit_amount]',
  'line_items[][price_data][product_data][name]',
]

export const endpoints: readonly Endpoint[] = [
  { method: 'POST', path: at('payment_intents'), params: INTENT, run: createIntent },
  { method: 'GET', path: at('payment_intents/search'), params: ['query', 'limit', 'page'], run: search },
  {
    method: 'GET', path: at(`payment_intents/${ONE}`), params: ['expand[]'],
    run: (books, { parts, tree }) => show(books, books.intent(parts[0]!), expanded(tree)),
  },
  {
    method: 'POST', path: at(`payment_intents/${ONE}/capture`), params: ['amount_to_capture', 'metadata[]', 'expand[]'],
    run(books, { parts, tree }) {
      const intent = books.intent(parts[0]!)
      const all = tree['amount_to_capture'] === undefined
      const wanted = all ? intent.amount_capturable : amount(tree, 'amount_to_capture')
      return show(books, books.capture(intent, wanted, strings(tree, 'metadata')), expanded(tree))
    },
  },
  {
    method: 'POST', path: at(`payment_intents/${ONE}/cancel`), params: ['cancellation_reason'],
    run: (books, { parts, tree }) => show(
      books, books.cancel(books.intent(parts[0]!), text(tree, 'cancellation_reason') ?? null), []),
  },
  { method: 'POST', path: at('checkout/sessions'), params: SESSION, run: createSession },
  {
    method: 'GET', path: at(`checkout/sessions/${ONE}`), params: ['expand[]'],
    run: (books, { parts, tree }) => showSession(books, books.session(parts[0]!), expanded(tree)),
  },
  {
    method: 'POST', path: at(`checkout/sessions/${ONE}/expire`), params: [],
    run: (books, { parts }) => showSession(books, books.expire(books.session(parts[0]!)), []),
  },
  {
    method: 'POST', path: at('refunds'), params: ['payment_intent', 'amount', 'reason', 'metadata[]'],
    run(books, { tree }) {
      const intent = books.intent(need(tree, 'payment_intent'))
      const wanted = tree['amount'] === undefined ? intent.amount_received : amount(tree, 'amount')
      return books.refund(intent, wanted, strings(tree, 'metadata'))
    },
  },
  { method: 'GET', path: at('refunds'), params: ['payment_intent', 'limit', 'starting_after'], run: listRefunds },
]

/** The endpoint for this, with its parameters checked; throws as Stripe answers. */
export function find(method: string, path: string, body: string): { parts: string[]; run: Endpoint['run'] } {
  const found = endpoints.find((one) => one.method === method && one.path.test(path))
  if (!found) throw missing('API method', `${method} ${path}`)
  refuseUnknown(body, found.params)
  return { parts: found.path.exec(path)!.slice(1), run: found.run }
}

function expanded(tree: Tree): string[] {
  const fields = Object.values(strings(tree, 'expand'))
  for (const field of fields) {
    if (field.split('.').length > 4) throw invalid('You cannot expand more than 4 levels.', { param: 'expand' })
  }
  return fields
}

function currencyOf(tree: Tree): string {
  const currency = need(tree, 'currency')
  if (/^[a-z]{3}$/.test(currency)) return currency
  throw invalid(`Invalid currency: ${currency}.`, { param: 'currency' })
}

function createIntent(books: Books, { tree }: Ask): object {
  if (text(tree, 'confirm') !== 'true') throw invalid('This server knows PaymentIntents that are confirmed at once.')
  const card = text(tree, 'payment_method') ?? need(tree, 'confirmation_token').replace(/^ctoken/, 'pm')
  const intent = books.newIntent({
    amount: amount(tree, 'amount'), currency: currencyOf(tree), metadata: strings(tree, 'metadata'),
    capture_method: text(tree, 'capture_method') ?? 'automatic_async', return_url: text(tree, 'return_url') ?? null,
  })
  return show(books, books.confirm(intent, card), expanded(tree))
}

function createSession(books: Books, { tree }: Ask): object {
  if (need(tree, 'mode') !== 'payment') throw invalid('This server knows the mode payment.', { param: 'mode' })
  const item = ((tree['line_items'] ?? {}) as Tree)['0'] as Tree | undefined
  const price = item?.['price_data'] as Tree | undefined
  if (!item || !price) throw invalid('Missing required param: line_items.', { param: 'line_items' })
  need((price['product_data'] ?? {}) as Tree, 'name')
  const data = (tree['payment_intent_data'] ?? {}) as Tree
  return showSession(books, books.newSession({
    amount: amount(price, 'unit_amount') * amount(item, 'quantity'), currency: currencyOf(price),
    metadata: strings(data, 'metadata'), capture_method: text(data, 'capture_method') ?? 'automatic_async',
    return_url: null,
  }, {
    client_reference_id: text(tree, 'client_reference_id') ?? null, metadata: strings(tree, 'metadata'),
    success_url: need(tree, 'success_url'), cancel_url: text(tree, 'cancel_url') ?? null,
    expires_at: Number(text(tree, 'expires_at') ?? Math.floor(Date.now() / 1_000) + 24 * 3_600),
  }), expanded(tree))
}

function show(books: Books, intent: Intent, expand: readonly string[]): object {
  const charge = intent.latest_charge !== null && expand.some((field) => field.startsWith('latest_charge'))
    ? books.charge(intent) as { balance_transaction: { id: string } | null } : intent.latest_charge
  if (typeof charge === 'object' && charge && !expand.includes('latest_charge.balance_transaction')) {
    return { ...intent, latest_charge: { ...charge, balance_transaction: charge.balance_transaction?.id ?? null } }
  }
  return { ...intent, latest_charge: charge }
}

function showSession(books: Books, session: Session, expand: readonly string[]): object {
  const { wish: _, ...shown } = session as Session & { wish: unknown }
  const inner = expand.filter((field) => field.startsWith('payment_intent')).map((field) => field.slice(15))
  if (inner.length === 0 || session.payment_intent === null) return shown
  return { ...shown, payment_intent: show(books, books.intent(session.payment_intent), inner) }
}

/** Late by as much as an intent's faults say, and by nothing otherwise. */
export const LOOK_UP_LATER = 'look_up_later'

function search(books: Books, { tree }: Ask): object {
  const asked = /^metadata\['(\w{1,40})'\]:'([^']*)'$/.exec(need(tree, 'query'))
  if (!asked) throw invalid('We were unable to parse your search query.', { param: 'query' })
  const data = [...books.intents.values()].filter((intent) => intent.metadata[asked[1]!] === asked[2] &&
    !(intent.payment_method?.includes(LOOK_UP_LATER) && Date.now() < books.createdAt.get(intent.id)! + books.whileMs))
  return { object: 'search_result', url: '/v1/payment_intents/search', has_more: false, next_page: null, data }
}

function listRefunds(books: Books, { tree }: Ask): object {
  const intent = need(tree, 'payment_intent')
  const all: Refund[] = [...books.refunds.values()].filter((one) => one.payment_intent === intent).reverse()
  const after = text(tree, 'starting_after')
  const from = after === undefined ? 0 : all.findIndex((one) => one.id === after) + 1
  const limit = Number(text(tree, 'limit') ?? 10)
  return {
    object: 'list', url: '/v1/refunds', has_more: all.length > from + limit, data: all.slice(from, from + limit),
  }
}
