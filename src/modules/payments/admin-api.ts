// What staff ask of payments.
import { getPayment, listOrderPayments, listPaymentsNeedingAttention } from './get-payment.ts'
import { capturePayment, decidePaymentRoute, recordReceipt, refundPayment, voidPayment } from './operate-payment.ts'

export const adminRoutes = [
  listPaymentsNeedingAttention, getPayment, listOrderPayments, capturePayment, refundPayment, voidPayment,
  recordReceipt, decidePaymentRoute,
]
