// What inventory does by itself.

import { sweep } from '../../platform/events.ts'
import { announceChanges } from './announce-changes.ts'
import { expireReservations } from './expire-reservations.ts'
import { serveShortOrders } from './short-reservations.ts'

export const handlers = []

export const sweeps = [
  sweep('inventory.expire-reservations', { everySeconds: 1 }, expireReservations),
  // Twice a second, so that with the caches' own half second what is shown is about a second old.
  sweep('inventory.announce-changes', { everySeconds: 0.5 }, announceChanges),
  sweep('inventory.serve-short-orders', { everySeconds: 5 }, serveShortOrders),
]
