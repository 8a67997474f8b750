// An interface that a lower module owns and that somebody above it fills: the payment gateways, the mail transport, the
// storage of media. It hangs on the shop's Db, so two shops in one process (as in tests) do not share theirs.
import type { Db } from './db.ts'

export type Provided<T> = { set(db: Db, value: T): void; of(db: { readonly root: object }): T }

/** Declares a provided interface; `fallback` is used where nobody has set one. */
export function provided<T>(what: string, fallback?: T): Provided<T> {
  const values = new WeakMap<object, T>()
  return {
    set(db, value) { values.set(db.root, value) },
    of(db) {
      const value = values.get(db.root) ?? fallback
      if (value === undefined) throw new Error(
        `No ${what}: they are set where the server is put together (src/shop.ts)`
      )
      return value
    },
  }
}
