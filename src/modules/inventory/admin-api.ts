// What staff may ask of inventory.

import { postAdjustments } from './adjust-stock.ts'
import { putItems } from './configure-items.ts'
import { getMovements } from './list-movements.ts'
import { getReservations } from './list-reservations.ts'
import { getStock } from './list-stock.ts'
import { createLocation, deleteLocation, listLocations, updateLocation } from './locations.ts'
import { postTransfer } from './transfer-stock.ts'

export const adminRoutes = [
  getStock, postAdjustments, postTransfer, putItems, getMovements, getReservations,
  listLocations, createLocation, updateLocation, deleteLocation,
]
