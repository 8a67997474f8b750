// Which channel, currency and location a command means: the shop's only or first one, unless an option names another.
import type { Channel } from '../src/modules/catalog/catalog.ts'
import { listChannels } from '../src/modules/catalog/channels.ts'
import { getLocations } from '../src/modules/inventory/locations.ts'
import type { Conn } from '../src/platform/db.ts'
import type { Market } from './import/write-products.ts'
import { UsageError } from './usage.ts'

export async function chooseChannel(conn: Conn, code: string | undefined): Promise<Channel> {
  const channels = (await listChannels(conn)).filter(({ active }) => active)
  const channel = code === undefined ? channels[0] : channels.find((each) => each.code === code)
  if (channel) return channel
  if (code === undefined) throw new UsageError(
    'The shop has no channel yet: start it once with npm start, or create one through the Admin API.')
  throw new UsageError(`There is no channel "${code}": choose one of ${channels.map((each) => each.code).join(', ')}.`)
}

export function chooseCurrency({ code, currencies, defaultCurrency }: Channel, wanted: string | undefined): string {
  const currency = wanted?.toUpperCase() ?? defaultCurrency
  if (currencies.includes(currency)) return currency
  throw new UsageError(`The channel ${code} does not sell in ${currency}: choose one of ${currencies.join(', ')}.`)
}

export async function chooseMarket(
  conn: Conn, options: { channel?: string; currency?: string; location?: string },
): Promise<Market> {
  const channel = await chooseChannel(conn, options.channel)
  const currency = chooseCurrency(channel, options.currency)
  const locations = await getLocations(conn)
  const location = options.location === undefined ? locations[0]
    : locations.find(({ code }) => code === options.location)
  if (location) return { channel, currency, locationId: location.id }
  if (options.location === undefined) throw new UsageError(
    'The shop has no stock location yet: create one through the Admin API.')
  throw new UsageError(
    `There is no location "${options.location}": choose one of ${locations.map(({ code }) => code).join(', ')}.`)
}
