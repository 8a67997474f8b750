// What must be true of payments at any moment, as statements: each row that one returns is a violation. `kontor doctor`
// runs them. Numbers as in docs: I3 one charge, I6 sums, I11 nothing is forgotten.
import { sql, type Statement } from '../../platform/db.ts'

export const invariants: { name: string, statement: Statement }[] = [
  {
    name: 'I3 at most one attempt of a payment is live or has succeeded',
    statement: sql`
      select payment_id, count(*) as attempts from payments.attempt
      where state not in ('declined', 'voided', 'expired') group by payment_id having count(*) > 1`,
  },
  {
    name: 'I6 what is refunded, and what is on its way, is the sum of its operations',
    statement: sql`
      select payment.id, refunded_minor, refunding_minor, capturing_minor, refunded, refunding, capturing
      from payments.payment left join (
        select payment_id,
          sum(amount_minor) filter (where kind = 'refund' and state = 'done') as refunded,
          sum(amount_minor) filter (where kind = 'refund' and state in ('sending', 'unknown')) as refunding,
          sum(amount_minor) filter (where kind = 'capture' and state in ('sending', 'unknown')) as capturing
        from payments.operation group by payment_id
      ) as done on done.payment_id = payment.id
      where (refunded_minor, refunding_minor, capturing_minor)
        <> (coalesce(refunded, 0), coalesce(refunding, 0), coalesce(capturing, 0))`,
  },
  {
    // The recovery job looks every two seconds.
    name: 'I11 no attempt, operation or webhook is five minutes past its next look',
    statement: sql`
      select 'attempt' as kind, id::text, state, next_check_at as due from payments.attempt
      where next_check_at < now() - interval '5 minutes'
      union all select 'operation', id::text, state, next_check_at from payments.operation
      where next_check_at < now() - interval '5 minutes'
      union all select 'webhook', gateway || ' ' || event_id, state, next_try_at from payments.webhook_event
      where next_try_at < now() - interval '5 minutes'`,
  },
]
