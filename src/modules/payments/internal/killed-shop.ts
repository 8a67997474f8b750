// A shop that is killed at its gateway, as a process of its own for the tests:
//   node killed-shop.ts DATABASE BANK charge|refund|failover before|after|FAILPOINT ORDER-OR-PAYMENT
import { simulatorGateway } from '../../../../plugins/simulator/gateway.ts'
import { Db } from '../../../platform/db.ts'
import type { Gateway } from '../gateway.ts'
import { failoverMethods, TestPayments } from './test-payments.ts'

const [url, bankUrl, call, moment, id] = process.argv.slice(2) as [string, string, string, string, string]

// Nothing runs after this: no handler, no finally, no answer to the database.
function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => {})
}

const real = simulatorGateway({ url: bankUrl })
const fatal = <Request>(ask: (request: Request) => Promise<unknown>) => async (request: Request): Promise<never> => {
  if (moment === 'after') await ask(request)
  return die()
}
const gateway: Gateway = call === 'failover' ? real
  : { ...real, charge: fatal(real.charge), refund: fatal(real.refund) }
const payments = new TestPayments(new Db({ url, max: 3 }), gateway, bankUrl)
if (call === 'failover') payments.serve(failoverMethods('second'), ['second'])
await (call === 'refund' ? payments.operate(id, 'refund', 400)
  : payments.pay(id, call === 'failover' ? 'unavailable,webhook_never' : 'webhook_never'))
