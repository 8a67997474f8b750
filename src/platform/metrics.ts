// Prometheus metrics. The library loads with the first observation's registry, labels are routes and statuses only:
// bounded by the code, not by visitors.
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export const registry = new Registry()

const requests = new Histogram({
  name: 'kontor_http_request_seconds', help: 'Time to answer a request, by route and status',
  labelNames: ['method', 'route', 'status'],
  buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10], registers: [registry],
})

type Noted = { method: string; path: string }
// Finding the series by its labels costs more than counting in it, so each route remembers its own.
const seriesOf = new WeakMap<Noted, Map<number, { observe(seconds: number): void }>>()

/** Notes one answered request. */
export function observeRequest(route: Noted, status: number, milliseconds: number): void {
  let series = seriesOf.get(route)
  if (!series) seriesOf.set(route, (series = new Map()))
  let one = series.get(status)
  if (!one) series.set(status, (one = requests.labels({ method: route.method, route: route.path, status })))
  one.observe(milliseconds / 1_000)
}

/** A counter of the process; created once, at the top of the file that counts. */
export function counter(name: string, help: string, labels: string[] = []): Counter {
  return new Counter({ name: `kontor_${name}`, help, labelNames: labels, registers: [registry] })
}

/** A gauge whose value is read when it is asked for. */
export function gauge(name: string, help: string, read: () => number): void {
  new Gauge({ name: `kontor_${name}`, help, registers: [registry], collect() { this.set(read()) } })
}
