// What V8 sets aside for young objects. A start makes much garbage and keeps little: the space grows to its largest for
// it, 32 MB that are never given back. So it stays small for the first seconds, and may grow with the load after them.
import { setFlagsFromString } from 'node:v8'

const START_MS = 10_000

/** To be called first of all. */
export function keepYoungHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setTimeout(() => setFlagsFromString('--semi-space-growth-factor=2'), START_MS).unref()      // as V8 has it
}
