// What staff may ask of notifications.
import { messageRoutes } from './messages.ts'

export const adminRoutes = [...messageRoutes]
