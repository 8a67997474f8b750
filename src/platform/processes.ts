// Several processes of one shop on one machine: this one starts them, hands each new connection to the next of them,
// and starts one again that died. They share nothing but the database and the port, exactly as processes on several
// machines would; the first does what is done once (it migrates, seeds and greets) and runs the jobs.
import cluster, { type Worker } from 'node:cluster'
import { AggregatorRegistry } from 'prom-client'
import { registry } from './metrics.ts'

/** Which of how many this process is: the first, and the only one, unless it was started by `supervise`. */
export const processNumber = Number(process.env['KONTOR_PROCESS'] ?? 1)
export const processCount = Number(process.env['KONTOR_PROCESSES'] ?? 1)

// Who dies so soon after its start would die again: three in a row end the shop, with their words still on the screen.
const TOO_SOON_MS = 10_000
const MAX_DEATHS_IN_A_ROW = 3
const RESTART_AFTER_MS = 500
const STOP_WITHIN_MS = 20_000

/** Runs `count` processes of this program until it is told to stop. */
export function supervise(count: number): void {
  const everybody = new AggregatorRegistry()
  let stopping = false
  let deathsInARow = 0

  const start = (number: number): Worker => {
    const started = performance.now()
    const worker = cluster.fork({ KONTOR_PROCESS: String(number), KONTOR_PROCESSES: String(count) })
    worker.on('error', () => {})   // a message that it did not live to hear; its exit says more
    worker.on('message', (message: unknown) => {
      if (message === READY && number === 1 && !others) startOthers()
      if (message === ASK) void everybody.clusterMetrics().catch(() => null).then((text) => worker.send({ text }))
    })
    worker.once('exit', (code, signal) => {
      if (stopping) return
      process.stderr.write(`Process ${number} of ${count} (pid ${worker.process.pid}) ended with ${signal ?? code}.\n`)
      deathsInARow = performance.now() - started < TOO_SOON_MS ? deathsInARow + 1 : 1
      if (deathsInARow >= MAX_DEATHS_IN_A_ROW) return void stop(1)
      setTimeout(() => { if (!stopping) start(number) }, RESTART_AFTER_MS)
    })
    return worker
  }

  const stop = async (status: number): Promise<void> => {
    if (stopping) return
    stopping = true
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref()
    await Promise.all(Object.values(cluster.workers ?? {}).map((worker) => new Promise((resolve) => {
      worker!.once('exit', resolve)
      worker!.process.kill('SIGTERM')
    })))
    process.exit(status)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(0))

  // The others follow when the first is through with what is done once.
  let others = false
  const startOthers = (): void => {
    others = true
    for (let number = 2; number <= count; number++) start(number)
  }
  start(1)
}

const READY = 'ready'
const ASK = 'metrics of everybody'

/** Tells `supervise` that what is done once is done. */
export function tellReady(): void {
  if (cluster.isWorker) process.send!(READY)
}

/** Lets the metrics of this process be collected with those of its siblings. */
export function joinSiblings(): void {
  if (!cluster.isWorker) return
  AggregatorRegistry.setRegistries([registry])
  new AggregatorRegistry()   // it listens for the question
}

/** The metrics of all processes of this shop on this machine, as Prometheus reads them. */
export async function readMetrics(): Promise<string> {
  if (!cluster.isWorker) return registry.metrics()
  const text = await new Promise<string | null>((resolve) => {
    const hear = (message: { text?: string | null }): void => {
      if (!(typeof message === 'object' && message !== null && 'text' in message)) return
      process.off('message', hear)
      resolve(message.text ?? null)
    }
    process.on('message', hear)
    process.send!(ASK)
  })
  return text ?? registry.metrics()   // a sibling died just now
}
