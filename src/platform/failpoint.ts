// Places where a crash would hurt, by name: between a commit and what follows it, between a call and its record. The
// fault programme (chaos/) kills the process at each of them. In production they do nothing: `failpoint` is empty.

/** All that there are; the programme fails for one that it cannot reach. */
export const failpoints = [
  'order.placing', 'order.placed', 'charge.committed', 'charge.answered', 'charge.recorded', 'operation.committed',
  'operation.answered', 'operation.recorded', 'webhook.stored', 'webhook.settled', 'event.relayed', 'job.done',
  'message.sent', 'holds.granted', 'holds.expired', 'order.lapsed',
] as const
export type Failpoint = (typeof failpoints)[number]

// `charge.answered:2` kills at the second pass.
const [wanted, pass = '1'] = (process.env['KONTOR_FAILPOINT'] ?? '').split(':')
let passed = 0

/** Ends the process, as a power failure would, if it was asked to end here. */
export const failpoint: (name: Failpoint) => void = process.env['NODE_ENV'] === 'production' || !wanted ? () => {}
  : (name) => {
    if (name === wanted && ++passed === Number(pass)) process.kill(process.pid, 'SIGKILL')
  }
