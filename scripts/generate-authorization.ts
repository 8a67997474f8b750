// Writes docs/authorization.md: who may call what, from the routes themselves. `--check` writes nothing and fails when
// the page is not what the routes say; a test does the same.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { adminApi, storeApi } from '../src/apis.ts'
import { allows, permissions, permissionsOf, staysWithin } from '../src/modules/identity/identity.ts'
import { operationName } from '../src/platform/operation-name.ts'
import type { Route } from '../src/platform/http.ts'
import { systemRoutes } from '../src/system-routes.ts'

const file = join(import.meta.dirname, '../docs/authorization.md')
const roles = ['owner', 'manager', 'support', 'warehouse']
const granted = new Map(roles.map((code) => [code, permissionsOf({ code, permissions: null })]))
const routes = [...systemRoutes, ...storeApi.routes, ...adminApi.routes]

/** The page as it has to be. */
export function authorizationPage(): string {
  const byAccess = Map.groupBy(routes, ({ access }) => (typeof access === 'object' ? access.permission : access))
  return `# Who may do what

Written by \`node scripts/generate-authorization.ts\` from the routes; a test fails when it is not what they say. Each
cell is tried by \`npm run security -- matrix\`.

Access hangs on the matched route, and a route without one does not register. Staff and secret keys have permissions,
by resource and verb; writing does not include reading. The four system roles are code; \`POST /admin/roles\` makes
others, with limits for refunds and discounts. Nobody gives a role, a permission or a limit beyond their own, and one
owner who can sign in always remains: a trigger holds that, whatever is done at the same moment.

## Permissions

| permission | allows | ${roles.join(' | ')} | somebody kept to channels | … to locations |
|---|---|${'---|'.repeat(roles.length + 2)}
${Object.entries(permissions).map(([name, words]) => `| \`${name}\` | ${words} | ${
    roles.map((code) => (allows(granted.get(code)!, name) ? 'yes' : '')).join(' | ')} | ${
    reach(name, 'channels', byAccess.get(name))} | ${reach(name, 'locations', byAccess.get(name))} |`).join('\n')}

Staff and keys may be kept to some channels and locations (\`reach\`), later to companies. A route either keeps to them
in its statement, or reads what all channels share, or refuses them.

## Operations

${[...byAccess].sort(([a], [b]) => a.localeCompare(b)).map(([access, all]) => `### ${heading(access)}

| operation | SDK | what |
|---|---|---|
${all.map((route) => `| \`${route.method} ${route.path}\` | ${
    systemRoutes.includes(route) || access === 'webhook' ? '' : `\`${operationName(route)}\``} | ${route.summary} |`)
    .join('\n')}`).join('\n\n')}
`
}

function reach(permission: string, kind: 'channels' | 'locations', all: readonly Route[] = []): string {
  const open = all.filter(({ access }) => typeof access === 'object' && staysWithin({ [kind]: [] }, access))
  return open.length === 0 ? '' : open.length === all.length ? 'yes' : `${open.length} of ${all.length}`
}

function heading(access: string): string {
  const words: Record<string, string> = {
    public: 'Anybody', shopper: 'Shoppers, with the publishable key of a channel',
    customer: 'Customers who signed in to their account',
    staff: 'Staff who signed in, whatever their role', webhook: 'Gateways, by their signature',
  }
  return words[access] ?? `\`${access}\``
}

if (import.meta.main) {
  const page = authorizationPage()
  if (!process.argv.includes('--check')) writeFileSync(file, page)
  else if (readFileSync(file, 'utf8') !== page) {
    process.stderr.write('docs/authorization.md is stale: node scripts/generate-authorization.ts\n')
    process.exitCode = 1
  }
}
