// The simulated bank: what a gateway does with charges, as a small state machine over an append-only log. The log is
// the bank's truth: it is on disk before anything is answered, and a killed simulator reads it back. Keys make a repeat
// one charge, as with real gateways; another request under a known key is refused.
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'

export type ChargeState = 'requires_action' | 'authorized' | 'captured' | 'declined' | 'voided'
export type ChargeWish = { amountMinor: number; currency: string; capture: boolean; faults: string[] }
export type Charge = ChargeWish & {
  reference: string; key: string; state: ChargeState; capturedMinor: number; refundedMinor: number
  at: number; reason?: string; technical?: boolean
  /** What the bank keeps of what it captured. */
  feeMinor: number
}
export type OperationWish = { reference: string; kind: 'capture' | 'refund' | 'void'; amountMinor: number }
export type BankOperation = OperationWish & { key: string; error?: string; feeMinor?: number }

type Entry = { charge: Charge; operation?: BankOperation }

/** Somebody uses a key a second time for something else: a mistake that a bank must not carry out. */
export class KeyReused extends Error {}

export class Bank {
  readonly charges = new Map<string, Charge>()           // by key
  readonly byReference = new Map<string, Charge>()
  readonly operations = new Map<string, BankOperation>() // by key
  #file: number

  constructor(path: string) {
    this.#file = openSync(path, 'a+')
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      try {
        if (line) this.#apply(JSON.parse(line) as Entry)
      } catch { /* the last line of a killed bank: it was never answered */ }
    }
  }

  #apply({ charge, operation }: Entry): void {
    this.charges.set(charge.key, charge)
    this.byReference.set(charge.reference, charge)
    if (operation) this.operations.set(operation.key, operation)
  }

  // The line feed comes first, so that half a line of a killed bank spoils no other.
  #write(entry: Entry): void {
    writeSync(this.#file, `\n${JSON.stringify(entry)}`)
    fsyncSync(this.#file)
    this.#apply(entry)
  }

  /** Charges once a key. */
  charge(key: string, wish: ChargeWish): Charge {
    const known = this.charges.get(key)
    if (known) {
      if (known.amountMinor !== wish.amountMinor || known.currency !== wish.currency) throw new KeyReused(key)
      return known
    }
    const { amountMinor, currency, capture, faults } = wish
    const cannot = faults.includes('unavailable')
    const state = cannot || faults.includes('decline') ? 'declined' : faults.includes('action') ? 'requires_action'
      : capture ? 'captured' : 'authorized'
    const charge: Charge = {
      reference: `sim_${key}`, key, state, amountMinor, currency, capture, faults,
      capturedMinor: state === 'captured' ? amountMinor : 0, refundedMinor: 0, at: Date.now(),
      feeMinor: state === 'captured' ? feeOf(amountMinor) : 0,
      ...(cannot ? { reason: 'the bank cannot charge just now', technical: true }
        : state === 'declined' ? { reason: 'the card was declined' } : {}),
    }
    this.#write({ charge })
    return charge
  }

  /** The shopper answers the bank's question; a second answer changes nothing. */
  answer(reference: string, approve: boolean): Charge | undefined {
    const charge = this.byReference.get(reference)
    if (charge?.state !== 'requires_action') return charge
    const { capture, amountMinor } = charge
    this.#write({ charge: approve
      ? { ...charge, state: capture ? 'captured' : 'authorized', capturedMinor: capture ? amountMinor : 0,
        feeMinor: capture ? feeOf(amountMinor) : 0 }
      : { ...charge, state: 'declined', reason: 'the shopper did not confirm' } })
    return this.byReference.get(reference)
  }

  /** Carries out an operation once a key; what the charge cannot bear is refused, and remembered under the key too. */
  operate(key: string, wish: OperationWish, refusal?: string): BankOperation {
    const known = this.operations.get(key)
    if (known) {
      if (known.kind !== wish.kind || known.amountMinor !== wish.amountMinor) throw new KeyReused(key)
      return known
    }
    const { kind, reference, amountMinor } = wish
    const charge = this.byReference.get(reference)
    const changed = refusal ?? (charge ? changedBy(charge, kind, amountMinor) : 'no such charge')
    const operation: BankOperation = {
      key, reference, kind, amountMinor, ...(typeof changed === 'string' ? { error: changed }
        : kind === 'capture' ? { feeMinor: feeOf(amountMinor) } : {}),
    }
    if (charge) this.#write({ operation, charge: typeof changed === 'string' ? charge : changed })
    return operation
  }

  close(): void { closeSync(this.#file) }
}

// As banks do: a share and something for the trouble, and never more than there is.
const feeOf = (amountMinor: number): number => Math.min(amountMinor, Math.round(amountMinor * 0.014) + 25)

/** The charge after the operation, or why it is refused. */
function changedBy(charge: Charge, kind: OperationWish['kind'], amountMinor: number): Charge | string {
  const { state, capturedMinor, refundedMinor } = charge
  if (!(Number.isSafeInteger(amountMinor) && amountMinor > 0)) return 'not an amount'
  switch (kind) {
    case 'capture':
      if (state !== 'authorized' && state !== 'captured') return `the charge is ${state}`
      if (capturedMinor + amountMinor > charge.amountMinor) return 'more than was authorised'
      return {
        ...charge, state: 'captured', capturedMinor: capturedMinor + amountMinor,
        feeMinor: charge.feeMinor + feeOf(amountMinor),
      }
    case 'refund':
      if (refundedMinor + amountMinor > capturedMinor) return 'more than was captured'
      return { ...charge, refundedMinor: refundedMinor + amountMinor }
    case 'void':
      if (state !== 'authorized' && state !== 'requires_action') return `the charge is ${state}`
      return { ...charge, state: 'voided' }
    default:
      return 'no such operation'
  }
}
