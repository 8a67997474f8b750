// kontor key: the keys of programs and shop pages, for whoever has the machine.
import { parseArgs } from 'node:util'
import {
  createPublishableKey, createSecretKey, listPublishableKeys, listSecretKeys, revokePublishableKey, revokeSecretKey,
} from '../src/modules/identity/api-keys.ts'
import { KeyNotFound, permissions } from '../src/modules/identity/identity.ts'
import { systemContext, type Db } from '../src/platform/db.ts'
import { newId } from '../src/platform/id.ts'
import { isProblem } from '../src/platform/problem.ts'
import { chooseChannel } from './market.ts'
import { withDatabase } from './open-database.ts'
import { UsageError, type Command } from './usage.ts'

export const key: Command = {
  summary: 'API keys: list them, create one, revoke one',
  help: `kontor key list
kontor key create --secret NAME [--permission orders:read] [--days 90]   for a program; printed once
kontor key create --publishable NAME [--channel CODE]                    for the shop pages of a channel
kontor key revoke ID

  --permission P   may be given several times; a secret key may do everything unless it is given
  --days N         the key ends after so many days; it does not end unless it is given
  --channel CODE   the first channel unless named`,

  async run(args) {
    const { values, positionals: [act, id, ...rest] } = parseArgs({
      args, allowPositionals: true, options: {
        secret: { type: 'string' }, publishable: { type: 'string' }, permission: { type: 'string', multiple: true },
        days: { type: 'string' }, channel: { type: 'string' },
      },
    })
    const { secret, publishable, channel } = values
    if (rest.length > 0) throw new UsageError(`Put a name of several words in quotes: ${rest.join(' ')}`)
    if (act === 'list') return withDatabase(list)
    if (act === 'revoke' && id) return withDatabase((db) => revoke(db, id))
    if (act === 'create' && secret) {
      const expiresAt = expiry(values.days)
      const granted = permitted(values.permission)
      return withDatabase((db) => createSecret(db, { name: secret, permissions: granted, expiresAt }))
    }
    if (act === 'create' && publishable) return withDatabase((db) => createPublishable(db, publishable, channel))
    throw new UsageError('Say what to do: list, create --secret NAME, create --publishable NAME, or revoke ID.')
  },
}

const print = (line: string): void => void process.stdout.write(`${line}\n`)

async function list(db: Db): Promise<number> {
  for (const { id, key: text, name } of await listPublishableKeys(db)) print(`${id}   ${text}   ${name}`)
  for (const { id, prefix, name, expiresAt, revokedAt } of await listSecretKeys(db)) {
    const ends = revokedAt ? `revoked ${revokedAt.slice(0, 10)}` : expiresAt ? `until ${expiresAt.slice(0, 10)}` : ''
    print(`${id}   ${prefix}…   ${name}   ${ends}`.trimEnd())
  }
  return 0
}

async function createSecret(
  db: Db, input: { name: string; permissions: string[]; expiresAt: string | undefined },
): Promise<number> {
  const text = await db.transaction(systemContext(), (tx) => createSecretKey(tx, newId(), input))
  print(`${text}   (shown this once)`)
  return 0
}

async function createPublishable(db: Db, name: string, channelCode: string | undefined): Promise<number> {
  const { id: channelId } = await chooseChannel(db, channelCode)
  print(await db.transaction(systemContext(), (tx) => createPublishableKey(tx, newId(), { name, channelId })))
  return 0
}

async function revoke(db: Db, id: string): Promise<number> {
  if (!/^[0-9a-f-]{36}$/.test(id)) throw new UsageError(`${id} is not the id of a key: kontor key list`)
  // Its kind is not known yet, so one after the other is tried.
  for (const end of [revokeSecretKey, revokePublishableKey]) {
    const error = await db.transaction(systemContext(), (tx) => end(tx, id)).catch((failure: unknown) => failure)
    if (!error) return 0
    if (!isProblem(error, KeyNotFound)) throw error
  }
  throw new UsageError(`There is no key ${id}: kontor key list`)
}

function permitted(wanted: string[] | undefined): string[] {
  const all = Object.keys(permissions)
  const unknown = wanted?.find((permission) => !all.includes(permission))
  if (unknown) throw new UsageError(`There is no permission "${unknown}": choose of ${all.join(', ')}.`)
  return wanted ?? all
}

function expiry(days: string | undefined): string | undefined {
  if (days === undefined) return undefined
  if (!/^[1-9]\d{0,4}$/.test(days)) throw new UsageError(`--days ${days}: give a whole number of days.`)
  return new Date(Date.now() + Number(days) * 86_400_000).toISOString()
}
