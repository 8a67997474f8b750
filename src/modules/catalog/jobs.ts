// What the catalogue does by itself.
import { on, sweep } from '../../platform/events.ts'
import { ProductChanged } from './catalog.ts'
import { learnWords } from './correct-spelling.ts'
import { announcePublications } from './publish-products.ts'

export const handlers = [
  on(ProductChanged, 'catalog.learn-words', (db, { productIds }) => learnWords(db, productIds)),
]

export const sweeps = [
  // Twice a second, so that with the caches' own half second what is shown is about a second late.
  sweep('catalog.announce-publications', { everySeconds: 0.5 }, announcePublications),
]
