// Signing in, and what staff may ask of identity.
import { keyRoutes } from './api-keys.ts'
import { meRoutes } from './me.ts'
import { postPasswordReset, putPasswordReset } from './reset-password.ts'
import { roleRoutes } from './roles.ts'
import { deleteSession, postSession } from './sign-in.ts'
import { staffRoutes } from './staff.ts'
import { viewRoutes } from './view-as.ts'

export const adminRoutes = [
  postSession, deleteSession, postPasswordReset, putPasswordReset, ...meRoutes, ...staffRoutes, ...roleRoutes,
  ...keyRoutes, ...viewRoutes,
]
