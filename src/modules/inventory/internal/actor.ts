// How the ledger names who moved stock: 'staff:0198…', 'key:0198…', 'system'. Text, since it outlives the account.

import type { Context } from '../../../platform/db.ts'

export function actorText({ actor }: Context): string {
  return 'id' in actor ? `${actor.kind}:${actor.id}` : actor.kind
}
