// Ten thousand buyers, a hundred units, three processes behind one database: everybody comes at once, and who is told
// to come back comes back. Sold are exactly the hundred, each to one buyer who paid once; all others are told that it
// is sold out.
import { Type } from 'typebox'
import { withConnections, type Answer, type Connection } from '../../bench/connection.ts'
import { randomFrom } from '../../bench/random.ts'
import { sql } from '../../src/platform/db.ts'
import { buy, thing } from '../bounded.ts'
import { judge } from '../check.ts'
import type { Programme } from '../programme.ts'
import { openStage, type Stage } from '../stage.ts'
import { codeOf, decided } from './races.ts'

const UNITS = 100
const BUYERS = 10_000
const SHOPS = 3
const CONNECTIONS = 50         // to each of the shops; over each comes one buyer after the other

export const sale: Programme = {
  name: 'sale', about: `${UNITS} units, ${BUYERS.toLocaleString('en')} buyers, ${SHOPS} processes`, unit: 'sales',
  counts: { full: 100, quick: 1 },
  async open(sabotage) {
    const stage = await openStage(9, sabotage)
    await stage.startShop()
    const urls = await stage.startMore(SHOPS - 1)
    return {
      async round(seed) {
        const inOnePlace = Math.floor(randomFrom(seed)() * (UNITS + 1))
        const variantId = await thing(stage, [inOnePlace, UNITS - inOnePlace])
        const answers = await sell(stage, urls, variantId)
        const refused = answers.filter(({ status }) => status !== 201)
        const strange = refused.find((answer) => codeOf(answer) !== 'out-of-stock')
        return {
          count: 1, figures: { buyers: answers.length, refused: refused.length },
          violations: [
            ...strange ? [`a buyer was told ${strange.status} ${strange.body.toString().slice(0, 200)}`] : [],
            ...await compare(stage, variantId, answers.filter(({ status }) => status === 201)),
            ...await judge(stage),
          ],
        }
      },
      close: () => stage.close(),
    }
  },
}

async function sell(stage: Stage, urls: readonly string[], variantId: string): Promise<Answer[]> {
  const answers: Answer[] = []
  let waiting = BUYERS
  const serve = async (connection: Connection): Promise<void> => {
    while (waiting > 0) {
      waiting--
      const purchase = { variantId, key: crypto.randomUUID(), email: `${crypto.randomUUID()}@example.com` }
      answers.push(await decided(() => buy(stage, connection, { ...purchase, method: 'card' })))
    }
  }
  await Promise.all(urls.map((url) => withConnections(url, CONNECTIONS, async (connections) => {
    await Promise.all(connections.map((connection) => connection.request('GET', '/health')))
    await Promise.all(connections.map(serve))
  })))
  return answers
}

const Sold = Type.Object({ promised: Type.Integer(), orders: Type.Integer(), paid: Type.Integer() })

/** What the winners were told, what is promised and what was paid. */
async function compare({ db }: Stage, variantId: string, winners: Answer[]): Promise<string[]> {
  const ids = [...new Set(winners.map((answer) => answer.json().order.id as string))]
  const { promised, orders, paid } = await db.one(Sold, sql`
    select coalesce(sum(quantity), 0) as promised, count(distinct order_id) as orders,
      (select count(*) from payments.payment join payments.attempt on payment_id = payment.id
        where order_id = any(${ids}::uuid[]) and attempt.state in ('authorized', 'captured')) as paid
    from inventory.reservation where variant_id = ${variantId} and state in ('held', 'claimed')`)
  const counted = { winners: winners.length, 'orders they were told': ids.length, promised, orders, paid }
  return Object.entries(counted).filter(([, count]) => count !== UNITS)
    .map(([what, count]) => `${what}: ${count}, and there were ${UNITS} units`)
}
