// Loaded before a shop (`--import`): its clock goes wrong by as much as it is told to, while time itself passes as
// ever, as for a machine whose clock is set.
const RealDate = Date
let offsetMs = 0
const now = (): number => RealDate.now() + offsetMs

globalThis.Date = new Proxy(RealDate, {
  construct: (date, given, target) => Reflect.construct(date, given.length === 0 ? [now()] : given, target) as object,
  apply: () => new RealDate(now()).toString(),
  get: (date, name) => (name === 'now' ? now : Reflect.get(date, name) as unknown),
})

process.on('message', (message: { clockOffsetMs?: number }) => { offsetMs = message.clockOffsetMs ?? offsetMs })
process.channel?.unref()
