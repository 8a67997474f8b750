// Signing in, and what staff may ask of identity.
import { keyRoutes } from './api-keys.ts'
import { meRoutes } from './me.ts'
import { emailRoutes } from './my-email.ts'
import { factorRoutes } from './my-factors.ts'
import { passkeyRoutes } from './my-passkeys.ts'
import { sessionRoutes } from './my-sessions.ts'
import { postPasswordReset, putPasswordReset } from './reset-password.ts'
import { linkRoutes } from './sign-in-link.ts'
import { roleRoutes } from './roles.ts'
import { deleteSession, postSession, putSession } from './sign-in.ts'
import { signOnRoutes } from './single-sign-on.ts'
import { staffRoutes } from './staff.ts'
import { viewRoutes } from './view-as.ts'

export const adminRoutes = [
  postSession, putSession, deleteSession, postPasswordReset, putPasswordReset, ...meRoutes, ...sessionRoutes,
  ...emailRoutes, ...factorRoutes, ...passkeyRoutes, ...linkRoutes, ...signOnRoutes, ...staffRoutes, ...roleRoutes,
  ...keyRoutes, ...viewRoutes,
]
