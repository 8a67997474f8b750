// Gift cards as staff issue and stop them, and as whoever has the code asks for their balance. A code is 80 random
// bits: there is nothing to guess, and the database holds only its hash.
import { Type, type Static, type TSchema } from 'typebox'
import { LimitExceeded, requireNoRefundLimit } from '../../platform/authority.ts'
import { resultId, sql, type Conn, type Context, type Db, type Statement, type Tx } from '../../platform/db.ts'
import { derivedToken } from '../../platform/derived-token.ts'
import { decodeCursor, encodeCursor, Id, OneLine, Page, PageQuery, route, Timestamp } from '../../platform/http.ts'
import { newId } from '../../platform/id.ts'
import { Currency, isCurrency } from '../../platform/money.ts'
import { InvalidCursor, problem } from '../../platform/problem.ts'
import { post } from './ledger.ts'
import { accountOf, hashOfCode, requireUsable, StoredValueNotUsable } from './stored-value.ts'

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const Amount = Type.Integer({ minimum: 1, maximum: 1e12, description: 'In minor units' })
export const GiftCardNotFound = problem('gift-card-not-found', 404, 'No such gift card')
export const GiftCardRefused = problem('gift-card-refused', 422, 'This gift card cannot be issued')
export const GiftCardCode = OneLine(60, { description: 'As it is printed; dashes, spaces and case do not count' })

const NewGiftCard = Type.Object({
  amountMinor: Amount, currency: Currency,
  paid: Type.Boolean({ description: 'Somebody paid the shop for it (books `bank`), or it was given (`discount`)' }),
  expiresAt: Type.Optional({ ...Timestamp, description: 'None: never. The law of the country may want years' }),
  note: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
})

export const StoredValueEntry = Type.Object({
  kind: Type.Enum(['issued', 'adjusted', 'spent', 'returned']), amountMinor: Type.Integer(),
  orderId: nullable(Id), note: nullable(Type.String()), at: Timestamp,
})
const GiftCard = Type.Object({
  id: Id, ending: Type.String({ description: 'The last four characters of its code' }), currency: Currency,
  balanceMinor: Type.Integer(), active: Type.Boolean(), expiresAt: nullable(Timestamp), note: nullable(Type.String()),
  createdAt: Timestamp, entries: Type.Array(StoredValueEntry, { description: 'The newest hundred' }),
})
type GiftCard = Static<typeof GiftCard>

/** The newest entries of the stored value of the statement around it, as JSON. */
export const entriesOf = sql`(
  select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'amountMinor', amount_minor, 'orderId', order_id,
    'note', note, 'at', at) order by at desc, id desc), '[]')
  from (select * from payments.stored_value_entry where stored_value_id = stored_value.id
    order by at desc, id desc limit 100) as entry)`

function readCards(conn: Conn, which: Statement): Promise<GiftCard[]> {
  return conn.many(GiftCard, sql`
    select id, ending, currency, balance_minor as "balanceMinor", active, expires_at as "expiresAt", note,
      created_at as "createdAt", ${entriesOf} as entries
    from payments.stored_value where kind = 'gift_card' and ${which}`)
}

async function findCard(conn: Conn, id: string): Promise<GiftCard> {
  const [card] = await readCards(conn, sql`id = ${id}`)
  if (!card) throw GiftCardNotFound({})
  return card
}

const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'          // Crockford's: none is taken for another

/** The code of a gift card: computed from its id and the secret of the shop, so that a repeated issue can say it. */
async function codeOf(db: Db, id: string): Promise<string> {
  const secret = Buffer.from((await derivedToken(db, 'gift_', id)).slice('gift_'.length), 'base64url')
  const letters = [...secret.subarray(0, 16)].map((byte) => LETTERS[byte % LETTERS.length]).join('')
  return letters.match(/.{4}/g)!.join('-')
}

/**
 * Issues a gift card and books it; answers its code. Asked twice under one Idempotency-Key it is one card. Throws
 * GiftCardRefused for a currency that is none or a time that is over, LimitExceeded for whoever has a limit of refunds:
 * a card is money too.
 */
export async function issueGiftCard(
  db: Db, context: Context, card: Static<typeof NewGiftCard>,
): Promise<{ giftCard: GiftCard; code: string }> {
  requireNoRefundLimit(context.actor)
  const { amountMinor, currency, paid, expiresAt = null, note = null } = card
  if (!isCurrency(currency)) throw GiftCardRefused({}, `${currency} is no currency.`)
  if (expiresAt !== null && new Date(expiresAt).getTime() <= Date.now()) {
    throw GiftCardRefused({}, 'Its time would be over already.')
  }
  const id = resultId(context)
  const code = await codeOf(db, id)
  await db.transaction(context, async (tx) => {
    await tx.run(sql`insert into payments.stored_value
      (id, kind, currency, balance_minor, code_hash, ending, expires_at, note)
      values (${id}, 'gift_card', ${currency}, 0, ${hashOfCode(code)}, ${code.slice(-4)}, ${expiresAt}, ${note})`)
    await change(tx, { id, kind: 'gift_card', currency, amountMinor, because: 'issued', paid })
  })
  return { giftCard: await findCard(db, id), code }
}

/**
 * Moves the balance of a stored value by a signed amount that no order has to do with, and books it. Fails as SQL
 * (stored_value_not_negative) when that leaves less than nothing.
 */
export async function change(tx: Tx, moved: {
  id: string; kind: 'gift_card' | 'store_credit'; currency: string; amountMinor: number
  because: 'issued' | 'adjusted'; paid?: boolean; note?: string | null
}): Promise<void> {
  const { id, kind, currency, amountMinor, because, paid = false, note = null } = moved
  const entryId = newId()
  await Promise.all([
    tx.run(sql`update payments.stored_value set balance_minor = balance_minor + ${amountMinor} where id = ${id}`),
    tx.run(sql`insert into payments.stored_value_entry (id, stored_value_id, kind, amount_minor, note)
      values (${entryId}, ${id}, ${because}, ${amountMinor}, ${note})`),
    post(tx, {
      source: { type: 'stored_value', id: entryId }, kind: because, currency,
      lines: { [paid ? 'bank' : 'discount']: amountMinor, [accountOf(kind)]: -amountMinor },
    }),
  ])
}

const tags = ['Gift cards']
const params = Type.Object({ giftCardId: Id })
const Issued = Type.Object({
  giftCard: GiftCard, code: Type.String({ description: 'Shown now, and to a repeat; nobody can read it later' }),
})

export const postGiftCard = route({
  method: 'POST', path: '/admin/gift-cards', operationId: 'issueGiftCard', access: { permission: 'payments:write' },
  tags, summary: 'Issue a gift card', body: NewGiftCard, response: { 201: Issued },
  problems: [GiftCardRefused, LimitExceeded],
  replay: async ({ db, resultId: id }) => ({ giftCard: await findCard(db, id), code: await codeOf(db, id) }),
  run: ({ db, context, body }) => issueGiftCard(db, context, body),
})

export const listGiftCards = route({
  method: 'GET', path: '/admin/gift-cards', access: { permission: 'payments:read' }, tags,
  summary: 'List gift cards, the newest first',
  query: Type.Object({
    ...PageQuery, ending: Type.Optional(OneLine(4, { description: 'The last four characters of the code' })),
    code: Type.Optional(GiftCardCode),
  }),
  response: { 200: Page(GiftCard) }, problems: [InvalidCursor],
  async run({ db, query: { limit = 20, cursor, ending, code } }) {
    const [before] = cursor ? decodeCursor(cursor, [Id]) : []
    const rows = await readCards(db, sql`${before ? sql`id < ${before}::uuid` : sql`true`}
      and ${ending ? sql`ending = ${ending.toUpperCase()}` : sql`true`}
      and ${code ? sql`code_hash = ${hashOfCode(code)}` : sql`true`} order by id desc limit ${limit + 1}`)
    const items = rows.slice(0, limit)
    return { items, nextCursor: rows.length > limit ? encodeCursor([items.at(-1)!.id]) : null }
  },
})

export const getGiftCard = route({
  method: 'GET', path: '/admin/gift-cards/:giftCardId', access: { permission: 'payments:read' }, tags,
  summary: 'Read a gift card with what became of it', params, response: { 200: GiftCard },
  problems: [GiftCardNotFound], run: ({ db, params: { giftCardId } }) => findCard(db, giftCardId),
})

export const patchGiftCard = route({
  method: 'PATCH', path: '/admin/gift-cards/:giftCardId', operationId: 'updateGiftCard',
  access: { permission: 'payments:write' }, tags, summary: 'Stop a gift card, start it again, or change its time',
  description: 'A card that is stopped keeps its balance. expiresAt null: never.',
  params, body: Type.Partial(Type.Object({ active: Type.Boolean(), expiresAt: nullable(Timestamp) }), {
    minProperties: 1,
  }),
  response: { 200: GiftCard }, problems: [GiftCardNotFound, LimitExceeded],
  async run({ db, context, params: { giftCardId }, body: { active, expiresAt } }) {
    requireNoRefundLimit(context.actor)
    await db.transaction(context, (tx) => tx.run(sql`
      update payments.stored_value set active = coalesce(${active ?? null}, active),
        expires_at = case when ${expiresAt === undefined} then expires_at else ${expiresAt ?? null}::timestamptz end
      where id = ${giftCardId} and kind = 'gift_card'`))
    return findCard(db, giftCardId)
  },
})

export const readGiftCardBalance = route({
  method: 'POST', path: '/store/gift-cards/balance', operationId: 'readGiftCardBalance', access: 'shopper', tags,
  summary: 'Ask for the balance of a gift card',
  description: 'By its code, which stands in the body so that no log and no history keeps it.',
  body: Type.Object({ code: GiftCardCode }),
  response: { 200: Type.Object({
    ending: Type.String(), currency: Currency, balanceMinor: Type.Integer(), expiresAt: nullable(Timestamp),
  }) },
  problems: [StoredValueNotUsable], replay: 'none',
  async run({ db, body: { code } }) {
    const hash = hashOfCode(code)
    const [card] = await readCards(db, sql`code_hash = ${hash}`)
    const expired = card?.expiresAt != null && new Date(card.expiresAt).getTime() <= Date.now()
    requireUsable(card && { ...card, kind: 'gift_card', hash: null, expired }, code)
    const { ending, currency, balanceMinor, expiresAt } = card!
    return { ending, currency, balanceMinor, expiresAt }
  },
})
