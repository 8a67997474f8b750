// Ways to pay that no gateway carries out: a bank transfer, cash on delivery. The order is placed unpaid, and staff
// record the receipt, or match the transfer that names the reference. It is an adapter like any other, so that the rest
// of the shop knows one kind of payment only.
import type { Gateway, OperationOutcome } from '../../src/modules/payments/gateway.ts'
import { transferReference } from '../../src/modules/payments/transfer-reference.ts'

// By hand: there is nobody to ask, so what staff record is the truth.
const byHand = async ({ key }: { key: string }): Promise<OperationOutcome> => ({ kind: 'done', reference: key })

export const manual: Gateway = {
  code: 'manual',
  account: null,
  properties: {
    keyLifetimeHours: Infinity, errorsCachedUnderKey: false, lookUp: 'key', partialCapture: true,
    multipleCaptures: true, currencies: null, limits: null, entry: [], timeoutMs: 1_000, byHand: true,
  },
  charge: async ({ key }) => ({ kind: 'pending', reference: transferReference(key) }),
  lookUp: async ({ key }) => ({ kind: 'pending', reference: transferReference(key) }),
  lookUpOperation: byHand,
  capture: byHand,
  refund: byHand,
  void: byHand,
  readWebhook: () => null,
}
