// Work that is late: what the worker would have done if it ran, and what it gave up. The times are many turns of the
// sweeps that do the work, so that a busy minute is no finding.
import { together, type Check } from './check.ts'

const START = 'Start a worker (npm start, or --roles worker), and read its log.'

export const workChecks: Check[] = [
  {
    name: 'events', holds: 'Events are delivered',
    find: (client) => together(client, `
      select type, count(*)::int as events, min(available_at) as since from platform.event
      where relayed_at is null and available_at < now() - interval '1 minute' group by type order by since`,
    () => ({ broken: true, what: 'Events wait longer than a minute', next: START })),
  },
  {
    name: 'jobs', holds: 'Jobs run when they are due',
    async find(client) {
      const late = await together(client, `
        select handler, count(*)::int as jobs, min(run_at) as since from platform.job
        where given_up_at is null and run_at < now() - interval '10 minutes' group by 1`,
      () => ({ broken: true, what: 'Jobs wait longer than ten minutes', next: START }))
      const failed = await together(client, `
        select handler, count(*)::int as jobs, max(last_error) as error from platform.job
        where given_up_at is not null group by 1`,
      () => ({
        broken: false, what: 'Jobs failed for good',
        next: 'Mend the cause that `error` names (--json), then: ' +
          'update platform.job set attempts = 0, run_at = now(), given_up_at = null where given_up_at is not null.',
      }))
      return [...late, ...failed]
    },
  },
  {
    name: 'orders', holds: 'Orders that nobody pays are let go',
    find: (client) => together(client, `
      select id, number, holds_until from orders."order"
      where state = 'awaiting_payment' and holds_until < now() - interval '10 minutes' order by holds_until limit 100`,
    () => ({ broken: true, what: 'Orders hold stock ten minutes past their time', next: START })),
  },
  {
    name: 'offers', holds: 'Lists know the prices and the stock of products',
    // What changed a moment ago may not have reached the lists yet.
    find: (client) => together(client, `
      select product_id, channel_id, currency, offer.prices::text as listed, current_offer.prices::text as priced,
        offer.in_stock as listed_in_stock, not isempty(current_offer.prices_in_stock) as in_stock
      from browse.offer full join browse.current_offer using (product_id, channel_id, currency)
      where (offer.prices, offer.prices_in_stock)
          is distinct from (current_offer.prices, current_offer.prices_in_stock)
        and product_id not in (
          select product_id from inventory.stock_change join catalog.active_variant using (variant_id))
        and not exists (select from platform.event where relayed_at is null
          and type in ('catalog.product-changed', 'pricing.prices-changed', 'inventory.stock-changed'))
        and not exists (select from platform.job where handler like 'browse.%' and given_up_at is null)
      order by product_id limit 100`,
    () => ({
      broken: true, what: 'Products are listed by prices or stock that they do not have',
      next: 'The worker repairs it within the hour; at once, if you run: ' +
        `update browse.offered_product set checked_at = '-infinity'.`,
    })),
  },
  {
    name: 'messages', holds: 'Messages leave',
    async find(client) {
      const late = await together(client, `
        select id, template, attempts, last_error, due_at from notifications.message
        where state = 'waiting' and due_at < now() - interval '10 minutes' order by due_at limit 100`,
      () => ({ broken: true, what: 'Messages wait ten minutes past their time', next: START }))
      const parked = await together(client, `
        select id, template, last_error from notifications.message where state = 'parked' order by id desc limit 100`,
      () => ({ broken: false, what: 'Messages could not be sent',
        next: 'Mend what last_error says, then POST /admin/messages/{messageId}/retry.' }))
      return [...late, ...parked]
    },
  },
]
