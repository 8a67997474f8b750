// The simulated bank: what a gateway does with charges, as a small state machine over an append-only log. The log is
// the bank's truth: it is on disk before anything is answered, and a killed simulator reads it back. Keys make a repeat
// one charge, as with real gateways.
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'

/**
 * What can go wrong, by request: `data.fault` of a charge, or the token `fault:<name>`. See server.ts for what each
 * does to the answer.
 */
export const faults = [
  'decline', 'action', 'charge_then_drop', 'charge_then_500', 'drop_before_charge', 'delay', 'webhook_twice',
  'webhook_late', 'webhook_never',
  'webhook_first', 'webhook_reordered', 'look_up_later', 'key_expired', 'dispute', 'other_amount',
] as const
export type Fault = typeof faults[number]

export type Charge = {
  reference: string; key: string; state: 'requires_action' | 'authorized' | 'captured' | 'declined' | 'voided'
  amountMinor: number; currency: string; capturedMinor: number; refundedMinor: number; reason?: string; at: number; disputed?: boolean
}
export type BankOperation = {
  key: string; reference: string; kind: 'capture' | 'refund' | 'void'; amountMinor: number; error?: string,
}

type Entry = { charge: Charge } | { operation: BankOperation; charge: Charge }

export class Bank {
  readonly charges = new Map<string, Charge>()          // by our key
  readonly byReference = new Map<string, Charge>()
  readonly operations = new Map<string, BankOperation>() // by key
  #file: number

  constructor(path: string) {
    let text = ''
    try {
      text = readFileSync(path, 'utf8')
    } catch { /* a new bank */ }
    for (const line of text.split('\n')) {
      try {
        if (line) this.#apply(JSON.parse(line) as Entry)
      } catch { /* the last line of a killed bank: it was never answered */ }
    }
    this.#file = openSync(path, 'a')
  }

  #apply(entry: Entry): void {
    this.charges.set(entry.charge.key, entry.charge)
    this.byReference.set(entry.charge.reference, entry.charge)
    if ('operation' in entry) this.operations.set(entry.operation.key, entry.operation)
  }

  #write(entry: Entry): void {
    writeSync(this.#file, JSON.stringify(entry) + '\n')
    fsyncSync(this.#file)
    this.#apply(entry)
  }

  /** Charges once a key. */
  charge(
    key: string, wish: { amountMinor: number; currency: string; capture: boolean; fault?: Fault | undefined }
  ): Charge {
    const known = this.charges.get(key)
    if (known) return known
    const declined = wish.fault === 'decline'
    const state = declined ? 'declined' : wish.fault === 'action' ? 'requires_action' : wish.capture ? 'captured'
      : 'authorized'
    const charge: Charge = {
      reference: `sim_${key}`, key, state, amountMinor: wish.amountMinor, currency: wish.currency,
      capturedMinor: state === 'captured' ? wish.amountMinor : 0, refundedMinor: 0, at: Date.now(),
      ...(declined ? { reason: 'the card was declined' } : {}), ...(wish.fault === 'dispute' ? { disputed: true } : {}),
    }
    this.#write({ charge })
    return charge
  }

  /** The shopper answers the bank's question. */
  answer(reference: string, approve: boolean, capture: boolean): Charge | undefined {
    const charge = this.byReference.get(reference)
    if (charge?.state !== 'requires_action') return charge
    this.#write({ charge: approve
      ? { ...charge, state: capture ? 'captured' : 'authorized', capturedMinor: capture ? charge.amountMinor : 0 }
      : { ...charge, state: 'declined', reason: 'the shopper did not confirm' } })
    return this.byReference.get(reference)
  }

  /**
   * Carries out an operation once a key; what the charge cannot bear is refused, and the refusal is remembered under
   * the key too.
   */
  operate(operation: BankOperation): BankOperation {
    const known = this.operations.get(operation.key)
    if (known) return known
    const charge = this.byReference.get(operation.reference)
    if (!charge) return { ...operation, error: 'no such charge' }
    const { kind, amountMinor } = operation
    const changed = { ...charge }
    let error: string | undefined
    if (kind === 'capture') {
      if (
        !['authorized', 'captured'].includes(charge.state) || charge.capturedMinor + amountMinor > charge.amountMinor
      ) error = 'more than was authorised'
      else Object.assign(changed, { state: 'captured', capturedMinor: charge.capturedMinor + amountMinor })
    } else if (kind === 'refund') {
      if (charge.refundedMinor + amountMinor > charge.capturedMinor) error = 'more than was captured'
      else changed.refundedMinor += amountMinor
    } else if (charge.state !== 'authorized') error = 'not an open authorisation'
    else changed.state = 'voided'
    const done = { ...operation, ...(error ? { error } : {}) }
    this.#write({ operation: done, charge: error ? charge : changed })
    return done
  }

  close(): void { closeSync(this.#file) }
}
