// What pricing does by itself.
import type { EventSubscription } from '../../platform/events.ts'
import { announceLists } from './price-lists.ts'

export const handlers: EventSubscription[] = []
export const sweeps = [announceLists]
