// What must be true of pricing at any moment, as statements: each row that one returns is a violation. `kontor doctor`
// runs them, and so does every race test when it ends. I8: uses ≤ limits, and a count is the sum of its uses.
import { sql, type Statement } from '../../platform/db.ts'

export const invariants: { name: string, statement: Statement }[] = [
  {
    name: 'I8 a count is the number of uses that orders hold or spent',
    statement: sql`
      select promotion_id, scope, used, count(order_id) as uses
      from pricing.use_count left join (
        select * from pricing.coupon_use where state in ('held', 'confirmed')
      ) as live using (promotion_id, scope)
      group by promotion_id, scope having used <> count(order_id)`,
  },
  {
    name: 'I8 no count is beyond its limit',
    statement: sql`
      select promotion_id, scope, used, use_limit from pricing.use_count where used > use_limit or used < 0`,
  },
]
