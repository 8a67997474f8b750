// What media does by itself: remove what nothing shows.
import { sweep } from '../../platform/events.ts'
import { removeFiles, removeOrphans } from './remove-orphans.ts'

export const handlers = []

export const sweeps = [
  sweep('media.remove-orphans', { everySeconds: 300 }, removeOrphans),
  sweep('media.remove-files', { everySeconds: 60 }, removeFiles),
]
