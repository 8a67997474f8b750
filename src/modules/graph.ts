// Who may import whom: the only place where a border between modules is declared. `src/tidy.test.ts` holds imports and SQL to it.
// The order is also the order of migrations: a module comes after those it may import.
export const graph = {
  media: [],
  notifications: [],
  identity: ['notifications'],
  catalog: ['media'],
  shipping: ['catalog'],
  inventory: ['catalog'],
  pricing: ['catalog', 'shipping'],
  browse: ['catalog', 'pricing', 'inventory', 'media'],
  payments: ['notifications'],
  orders: ['catalog', 'pricing', 'shipping', 'inventory', 'payments', 'identity', 'notifications'],
  checkout: ['catalog', 'pricing', 'shipping', 'inventory', 'payments', 'identity', 'notifications', 'orders'],
} as const
