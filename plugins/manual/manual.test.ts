// Bank transfer and cash keep the same contract as any gateway.
import { gatewayContract } from '../../src/modules/payments/gateway-contract.ts'
import { manual } from './manual.ts'

gatewayContract('manual', async () => ({ gateway: manual, data: { good: {} } }))
