// How the gateways of this shop are: their circuits, which all processes share, and what became of the attempts of the
// last quarter of an hour, read from the record and so the same for whoever asks.
import { Type, type TSchema } from 'typebox'
import { sql } from '../../platform/db.ts'
import { route, Timestamp } from '../../platform/http.ts'
import { firstIdOfLast } from '../../platform/id.ts'
import { gatewaysOf } from './choose-gateway.ts'
import { paymentSetup } from './gateway.ts'

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const MINUTES = 15

const Circuit = Type.Object({
  gateway: Type.String(), circuit: Type.Enum(['open', 'half_open', 'closed']), reason: nullable(Type.String()),
  openedAt: Timestamp, tryAt: Timestamp,
})
const Recent = Type.Object({
  gateway: Type.String(), attempts: Type.Integer(), succeeded: Type.Integer(), declined: Type.Integer(),
  technical: Type.Integer(), unclear: Type.Integer(),
})

export const listGateways = route({
  method: 'GET', path: '/admin/payment-gateways', access: { permission: 'payments:read' }, tags: ['Payments'],
  summary: 'List the gateways and how they are',
  description: 'An open circuit: another gateway is asked first where there is one, until a probe is answered. ' +
    `The counts are of the attempts that began in the last ${MINUTES} minutes.`,
  response: { 200: Type.Object({ items: Type.Array(Type.Object({
    gateway: Type.String(), methods: Type.Array(Type.String(), { description: 'That it serves, always or in part' }),
    circuit: Circuit.properties.circuit, reason: nullable(Type.String({ description: 'Why it opened last' })),
    openedAt: nullable(Timestamp), tryAt: nullable(Timestamp),
    attempts: Type.Integer(), succeeded: Type.Integer(), declined: Type.Integer({ description: 'By the bank' }),
    technical: Type.Integer({ description: 'Refused for no reason of the shopper’s' }), unclear: Type.Integer(),
  })) }) },
  async run({ db }) {
    const { gateways, methods } = paymentSetup.of(db)
    const [circuits, recent] = await Promise.all([
      db.many(Circuit, sql`select gateway, state as circuit, reason, opened_at as "openedAt", try_at as "tryAt"
        from payments.circuit`),
      db.many(Recent, sql`
        select gateway, count(*)::int as attempts,
          count(*) filter (where state in ('authorized', 'captured', 'pending'))::int as succeeded,
          count(*) filter (where state = 'declined' and not technical)::int as declined,
          count(*) filter (where technical)::int as technical,
          count(*) filter (where state in ('sending', 'unknown'))::int as unclear
        from payments.attempt where id >= ${firstIdOfLast(MINUTES / 1_440)} group by gateway`),
    ])
    const none = { attempts: 0, succeeded: 0, declined: 0, technical: 0, unclear: 0 }
    return { items: [...gateways.keys()].map((gateway) => ({
      circuit: 'closed' as const, reason: null, openedAt: null, tryAt: null, ...none,
      ...circuits.find((one) => one.gateway === gateway), ...recent.find((one) => one.gateway === gateway), gateway,
      methods: methods.filter((method) => gatewaysOf(method).includes(gateway)).map(({ code }) => code),
    })) }
  },
})
