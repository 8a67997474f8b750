// The parts of the bench, by name, in the order in which they run.
import { doubleCompletion, flashSale } from './races.ts'
import { hotSku } from './hot-sku.ts'
import { measureScenario, targetOf } from './measure-scenario.ts'
import { measureMemory } from './memory.ts'
import { measureOverload } from './overload.ts'
import { compareProcesses } from './compare-processes.ts'
import { measureStart } from './start.ts'
import { measureGrowth } from './growth.ts'
import { measureSlowGateway } from './slow-gateway.ts'
import { measureWebhooks } from './webhooks.ts'
import type { Outcome } from './outcome.ts'
import { scenarios } from './scenarios.ts'
import type { World } from './world.ts'

export type Part = { name: string; about: string; run: (world: World) => Promise<Outcome> }

/** A shop of a year, and one of a few minutes for --quick. */
export const years = ({ options }: World) => ({ products: 1_000, orders: options.quick ? 50_000 : 1_000_000 })

export const parts: readonly Part[] = [
  ...scenarios.map((scenario): Part => ({
    name: scenario.name, about: scenario.about,
    run: async (world) => {
      const ground = await (scenario.name === 'orders' ? world.grown(years(world)) : world.ground())
      return measureScenario(world, targetOf(ground), scenario)
    },
  })),
  { name: 'hot-sku', about: 'everybody buys the same variant', run: hotSku },
  { name: 'flash-sale', about: '100 units, 400 buyers at once', run: flashSale },
  { name: 'double', about: 'the same cart completed 10 times at once', run: doubleCompletion },
  { name: 'growth', about: 'the cost of a request as products and orders grow', run: measureGrowth },
  { name: 'overload', about: 'ten times more orders than there is capacity for', run: measureOverload },
  { name: 'webhooks', about: 'messages of a gateway, 500 a second', run: measureWebhooks },
  { name: 'slow-gateway', about: 'other steps of the checkout while a gateway takes 30 s', run: measureSlowGateway },
  { name: 'memory', about: 'at rest, and under load', run: measureMemory },
  { name: 'start', about: 'from the start to the first answer', run: measureStart },
  { name: 'processes', about: 'two processes beside one', run: compareProcesses },
]
