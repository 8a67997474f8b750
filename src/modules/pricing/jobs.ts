// What pricing does by itself.
import { announceLists } from './price-lists.ts'

export const sweeps = [announceLists]
