// Who may import whom: the only place where a border between modules is declared. Read each line as "may import"; it
// must stay acyclic. The same borders hold for SQL: a statement in a module names its own schema, and of the others
// only the views listed below, which their owners publish, keep stable and test. `src/tidy.test.ts` enforces both.
// Migrations run in this order.

export const graph = {
  media: [],
  notifications: [],
  identity: ['notifications'],
  catalog: ['media'],
  shipping: ['catalog'],
  inventory: ['catalog'],
  pricing: ['catalog', 'shipping'],
  payments: ['notifications'],
  browse: ['catalog', 'pricing', 'inventory', 'media'],
  orders: ['catalog', 'pricing', 'shipping', 'inventory', 'payments', 'identity', 'notifications'],
  customers: ['orders', 'payments'],
  checkout: [
    'catalog', 'pricing', 'shipping', 'inventory', 'payments', 'identity', 'notifications', 'orders', 'customers',
  ],
  accounts: ['identity', 'notifications', 'customers'],
  privacy: ['orders', 'checkout', 'customers', 'payments', 'notifications', 'accounts', 'identity'],
  alerts: ['catalog', 'inventory', 'payments', 'identity', 'notifications', 'orders'],
} as const satisfies Record<string, readonly string[]>

export type ModuleName = keyof typeof graph

/** The views that a module publishes for statements of the modules above it. */
export const views: { [module in ModuleName]?: readonly string[] } = {
  catalog: ['active_variant', 'sellable_variant', 'selling_channel'],
  shipping: ['offered_rate'],
  pricing: ['current_price'],
  inventory: ['variant_availability'],
  orders: ['purchase'],
}
