// What staff ask of payments and of the ledger.
import { listDecisions, listPaymentCases } from './cases.ts'
import { decideCaseRoute } from './decide-case.ts'
import { exportLedger } from './export-ledger.ts'
import { getGiftCard, listGiftCards, patchGiftCard, postGiftCard } from './gift-cards.ts'
import { listGateways } from './list-gateways.ts'
import { getPayment, listOrderPayments } from './get-payment.ts'
import { listBalances, listEntries } from './list-ledger.ts'
import { capturePayment, decidePaymentRoute, recordReceipt, refundPayment, voidPayment } from './operate-payment.ts'
import { listTransfers, proposePayments } from './list-transfers.ts'
import { matchTransferRoute, returnTransferRoute } from './match-transfer.ts'
import { postLedgerEntry } from './post-entry.ts'
import { recordTransfersRoute } from './record-transfers.ts'

export const adminRoutes = [
  listPaymentCases, decideCaseRoute, listDecisions, listGateways, getPayment, listOrderPayments, capturePayment,
  refundPayment, voidPayment, recordReceipt, decidePaymentRoute, listBalances, listEntries, exportLedger,
  postLedgerEntry, recordTransfersRoute, listTransfers, proposePayments, matchTransferRoute, returnTransferRoute,
  postGiftCard, listGiftCards, getGiftCard, patchGiftCard,
]
