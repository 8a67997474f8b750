// Where a shopper stands: the channel of his key, and the currency that he asked for or else the channel's own.

import type { Conn } from '../../platform/db.ts'
import { ChannelNotFound } from '../catalog/catalog.ts'
import { getChannel } from '../catalog/channels.ts'
import { CurrencyNotOffered } from '../pricing/pricing.ts'
import type { Market } from './offers.ts'

/** Throws ChannelNotFound for a shop that is closed, and CurrencyNotOffered, naming those that are. */
export async function findMarket(conn: Conn, channelId: string, currency: string | undefined): Promise<Market> {
  const { active, currencies, defaultCurrency } = await getChannel(conn, channelId)
  if (!active) throw ChannelNotFound({ channelId }, 'This shop is closed.')
  if (currency !== undefined && !currencies.includes(currency)) {
    throw CurrencyNotOffered({ currency, offered: currencies })
  }
  return { channelId, currency: currency ?? defaultCurrency }
}
