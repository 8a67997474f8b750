// The two races that tell most about a shop, for any shop: many who want the last few units, and one cart that is
// completed many times at once. An adapter says how that is asked of a shop (adapters/kontor.ts is ours), so that
// different ones are measured by the same rule: `npm run chaos -- races --shop chaos/adapters/kontor.ts`.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Round } from './programme.ts'

/** What a shop has to be asked for. All may throw: the race then says what. */
export type ShopAdapter<Item = unknown, Cart = unknown> = {
  name: string
  /** A thing that is for sale, of which there are `units` from now on. */
  list: (units: number) => Promise<Item>
  /** A cart with one unit of it, all set to be completed by `complete`. */
  cart: (item: Item) => Promise<Cart>
  /**
   * Asks once, as a client does; `again`: the shop asked for patience, and is asked once more, under the same key. Two
   * who complete one cart at once have keys of their own.
   */
  complete: (cart: Cart, key: string) => Promise<'sold' | 'refused' | 'again'>
  /** What the shop says afterwards about that thing: its orders, and successful payments of them. */
  count: (item: Item) => Promise<{ orders: number; payments: number }>
  close?: () => Promise<void>
}

export type Crowding = { buyers: number; units: number; completions: number }

const TRIES = 200
const PAUSE_MS = 50

export async function loadAdapter(file: string): Promise<ShopAdapter> {
  const { adapter } = await import(pathToFileURL(resolve(file)).href) as { adapter?: () => Promise<ShopAdapter> }
  if (adapter) return adapter()
  throw new Error(`${file} exports no function "adapter": see chaos/adapters/kontor.ts for one`)
}

/** Both races once. What was sold beyond the units, or twice, is broken; units that nobody got are broken as well. */
export async function raceShop(shop: ShopAdapter, { buyers, units, completions }: Crowding): Promise<Round> {
  const began = performance.now()
  const scarce = await shop.list(units)
  const carts = await inParts(buyers, () => shop.cart(scarce))
  const rush = performance.now()
  const told = await Promise.all(carts.map((cart) => decided(shop, cart)))
  const rushMs = Math.round(performance.now() - rush)
  const sold = told.filter((one) => one === 'sold').length
  const found = await shop.count(scarce)

  const plenty = await shop.list(completions)
  const cart = await shop.cart(plenty)
  await Promise.all(Array.from({ length: completions }, () => decided(shop, cart)))
  const repeated = await shop.count(plenty)
  const should = Math.min(units, buyers)
  return {
    count: 2, figures: { sold, refused: told.filter((one) => one === 'refused').length, slowestRushMs: rushMs,
      slowestAllMs: Math.round(performance.now() - began) },
    violations: [
      ...wrong(`${buyers} buyers and ${units} units: buyers who were told that they have one`, sold, should),
      ...wrong(`${buyers} buyers and ${units} units: orders`, found.orders, should),
      ...wrong(`${buyers} buyers and ${units} units: payments`, found.payments, should),
      ...wrong(`one cart, completed ${completions} times at once: orders`, repeated.orders, 1),
      ...wrong(`one cart, completed ${completions} times at once: payments`, repeated.payments, 1),
      ...told.filter((one) => one === 'failed').slice(0, 1).map(() => 'a buyer never got an answer'),
    ],
  }
}

const wrong = (what: string, is: number, should: number): string[] =>
  (is === should ? [] : [`${what}: ${is}, not ${should}`])

async function decided(shop: ShopAdapter, cart: unknown): Promise<'sold' | 'refused' | 'failed'> {
  const key = crypto.randomUUID()
  for (let tries = 0; tries < TRIES; tries++) {
    const answer = await shop.complete(cart, key)
    if (answer !== 'again') return answer
    await new Promise((resume) => setTimeout(resume, PAUSE_MS))
  }
  return 'failed'
}

/** The carts are not what is raced: a few at a time. */
async function inParts<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  const made: T[] = []
  const worker = async (): Promise<void> => {
    for (; count > 0;) {
      count--
      made.push(await make())
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  return made
}
