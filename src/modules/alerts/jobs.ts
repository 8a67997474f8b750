// What needs a person is told to one. A module of its own, because it must know stock, orders and staff alike.
import { on } from '../../platform/events.ts'
import { StockShort } from '../inventory/inventory.ts'
import { PaymentAlert } from '../payments/payments.ts'
import { alertOfPayment, alertOfShortStock } from './alert-staff.ts'

export const handlers = [
  on(StockShort, 'alerts.stock-short', alertOfShortStock),
  on(PaymentAlert, 'alerts.payment', alertOfPayment),
]

export const sweeps = []
