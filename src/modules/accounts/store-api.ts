// How customers come in, and what they do with their accounts.
import { sessionRoutes } from './my-sessions.ts'
import { mySignInRoutes } from './my-sign-in.ts'
import { passkeyRoutes } from './passkeys.ts'
import { linkRoutes } from './request-link.ts'
import { signInRoutes } from './sign-in.ts'
import { signOnRoutes } from './sign-on.ts'
import { useLinkRoutes } from './use-link.ts'

export const storeRoutes = [
  ...linkRoutes, ...useLinkRoutes, ...signInRoutes, ...passkeyRoutes, ...signOnRoutes, ...sessionRoutes,
  ...mySignInRoutes,
]
