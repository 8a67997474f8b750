// The words of identity: what may be permitted, what staff, roles, sessions and keys look like, and what can be
// wrong. No I/O.
import { Type, type Static, type TSchema } from 'typebox'
import type { Within } from '../../platform/authority.ts'
import type { SignedCustomer } from '../../platform/context.ts'
import { mapConstraint, type Actor, type Conn, type Db } from '../../platform/db.ts'
import { event } from '../../platform/events.ts'
import { Id, OneLine, Timestamp } from '../../platform/http.ts'
import { Forbidden, problem } from '../../platform/problem.ts'
import { provided } from '../../platform/provide.ts'
import { Limits, Reach } from './reach.ts'

/** What may be permitted, as resource:verb. Writing does not include reading. */
export const permissions = {
  'catalog:read': 'See products, categories, collections and channels',
  'catalog:write': 'Change products, categories, collections and channels',
  'pricing:read': 'See prices, taxes and promotions',
  'pricing:write': 'Change prices, taxes and promotions',
  'inventory:read': 'See stock and its movements',
  'inventory:write': 'Adjust and transfer stock',
  'shipping:read': 'See delivery zones, methods and rates',
  'shipping:write': 'Change delivery zones, methods and rates',
  'orders:read': 'See orders and the people in them',
  'orders:write': 'Change and cancel orders',
  'payments:read': 'See payments',
  'payments:write': 'Capture, void and refund',
  'media:read': 'See the media library',
  'media:write': 'Upload and remove pictures',
  'notifications:read': 'Read the messages that the shop sends',
  'notifications:write': 'Send a message again',
  'customers:read': 'See customers, their groups, segments and consents',
  'customers:write': 'Change customers, their groups, segments and consents',
  'privacy:write': 'Export and erase the data of a person',
  'audit:read': 'Read the audit log and the metrics of the server',
  'identity:read': 'See staff, roles and keys',
  'identity:write': 'Change staff, roles and keys, within the own permissions',
  'identity:view-as': 'See the shop as a colleague does, who may not more',
} as const

/** Every permission, those of plugins included: what an owner has. */
const EVERYTHING = '*'
const unlessIdentity = Object.keys(permissions).filter((name) => !name.startsWith('identity:'))

const systemRoles: Record<string, readonly string[]> = {
  owner: [EVERYTHING],
  manager: [...unlessIdentity, 'identity:read', 'identity:view-as'],
  support: [
    'catalog:read', 'pricing:read', 'inventory:read', 'shipping:read', 'orders:read', 'orders:write', 'payments:read',
    'customers:read', 'customers:write',
    'identity:view-as',
  ],
  warehouse: ['catalog:read', 'inventory:read', 'inventory:write', 'shipping:read', 'orders:read'],
}

/** The permissions of a role: a custom one holds its own, those of a system role are code. */
export function permissionsOf(role: { code: string; permissions: readonly string[] | null }): readonly string[] {
  return role.permissions ?? systemRoles[role.code] ?? []
}

export function allows(granted: readonly string[], permission: string): boolean {
  return granted.includes(permission) || granted.includes(EVERYTHING)
}

/** What belongs to a channel or a location; everything else is the whole shop's. */
const bound: Record<string, keyof Within> = { orders: 'channels', payments: 'channels', inventory: 'locations' }
const sharedToRead = ['catalog:read', 'pricing:read', 'shipping:read', 'media:read', 'identity:view-as']

type Bound = { permission: string; within?: keyof Within }

/**
 * Whether somebody who is kept to some channels or locations may call a route at all: one that keeps to them itself
 * (`within`), one about the other kind, or one that reads what all share. Default deny.
 */
export function staysWithin(own: Within, { permission, within }: Bound): boolean {
  const kind = bound[permission.split(':')[0]!]
  if (!kind) return sharedToRead.includes(permission)
  return within === kind || !own[kind]
}

/** Nobody gives, takes or touches more than they have: it would be the way around every other check. */
export function requireWithin(actor: Actor, wanted: readonly string[]): void {
  if (actor.kind === 'system') return
  const own = actor.kind === 'staff' || actor.kind === 'key' ? actor.permissions : []
  const missing = wanted.find((permission) => !allows(own, permission))
  if (missing) throw Forbidden({ permission: missing }, 'Only who has a permission may give it, or change who has it.')
}

/** What routes of plugins ask for; the shop fills it in when it opens. */
export const pluginPermissions = provided<readonly string[]>('permissions of plugins', [])
export const PermissionUnknown = problem('permission-unknown', 422, 'There is no such permission', Type.Object({
  unknown: Type.Array(Type.String()), known: Type.Array(Type.String()),
}))

/**
 * Throws PermissionUnknown for what no route asks for: whoever mistypes one would learn it from somebody who may not
 * work. What a plugin asked for that is gone stays where it is (it allows nothing), and is given to nobody anew.
 */
export function requireKnown(conn: Conn, wanted: readonly string[], before: readonly string[] = []): void {
  const known = [...Object.keys(permissions), ...pluginPermissions.of(conn)]
  const unknown = wanted.filter((permission) => !known.includes(permission) && !before.includes(permission))
  if (unknown.length > 0) throw PermissionUnknown({ unknown, known: known.sort() }, `Not ${unknown.join(', ')}.`)
}

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
export const Name = OneLine(100)
export const Email = Type.String({ format: 'email', maxLength: 254 })
/** The secret of a mailed link, or of a sign-in that waits for its second step. */
export const Token = Type.String({ pattern: '^[\\w-]{43}$' })
/** Longer than any check needs, so that a pass phrase fits; what a password must be is in check-password.ts. */
export const Password = Type.String({ minLength: 1, maxLength: 256 })
export const Permissions = Type.Array(Type.String({ pattern: '^[a-z-]+:[a-z-]+$', maxLength: 60 }), {
  maxItems: 200, uniqueItems: true, description: 'As listed by GET /admin/roles, or of a plugin',
})
export const RoleCode = Type.String({ pattern: '^[a-z][a-z0-9-]{0,39}$' })

/** People are who they are however they type their address. */
export const normalEmail = (email: string): string => email.trim().normalize('NFC').toLowerCase()

export const Role = Type.Object({
  code: RoleCode, name: Type.String(), system: Type.Boolean(),
  permissions: Type.Array(Type.String({ description: '* is all of them' })), limits: Limits,
  secondFactor: Type.Boolean({ description: 'Whoever has none may do nothing but add one' }),
})
export type Role = Static<typeof Role>

export const Staff = Type.Object({
  id: Id, email: Type.String(), name: Type.String(), role: RoleCode, active: Type.Boolean(), createdAt: Timestamp,
  invited: Type.Boolean({ description: 'Has not set a password yet' }), reach: Reach,
})
export type Staff = Static<typeof Staff>

export const Session = Type.Object({
  id: Id, createdAt: Timestamp, lastSeenAt: Timestamp, expiresAt: Timestamp, address: Type.String(),
  userAgent: Type.String(), device: Type.String({ description: 'As "Firefox on Windows"' }),
  place: Type.String({ description: 'The network it was opened from; nobody is asked where that is' }),
  current: Type.Boolean(),
})

export const SecretKey = Type.Object({
  id: Id, name: Type.String(), prefix: Type.String({ description: 'The first characters of the key' }),
  permissions: Type.Array(Type.String()), createdAt: Timestamp, expiresAt: nullable(Timestamp),
  lastUsedAt: nullable(Timestamp), revokedAt: nullable(Timestamp), reach: Reach, limits: Limits,
  addresses: nullable(Type.Array(Type.String(), { description: 'The networks it may be used from; null: any' })),
  replacedBy: nullable(Id),
})

export const PublishableKey = Type.Object({
  id: Id, key: Type.String(), channelId: Id, name: Type.String(), createdAt: Timestamp, revokedAt: nullable(Timestamp),
})

/** One answer for an unknown address, a wrong password and an account that is switched off. */
export const SignInRefused = problem('sign-in-refused', 401, 'The e-mail address or the password is wrong')
export const PasswordRefused = problem('password-refused', 422, 'Choose another password', Type.Object({
  reason: Type.Enum(['too-short', 'too-common', 'personal', 'breached']),
}))
/** One answer for an unknown, expired and used token. */
export const TokenRefused = problem('token-refused', 410, 'This link is not valid any more: ask for a new one')
/** One answer for whatever is wrong with what a device signed. */
export const PasskeyRefused = problem('passkey-refused', 401, 'This passkey does not open anything here')
export const StaffNotFound = problem(
  'staff-not-found', 404, 'No such member of staff', Type.Object({ staffId: Type.String() })
)
export const EmailTaken = problem('email-taken', 409, 'Somebody of the staff has this e-mail address')
export const OwnerEverywhere = problem('owner-everywhere', 409, 'An owner may act everywhere: give another role first')
export const LastOwner = problem('last-owner', 409, 'The last owner who can sign in must stay one')
/** Which customer has a session, by the hash of its token: the accounts know. */
export const customerSessions = provided<(db: Db, tokenHash: Buffer) => Promise<SignedCustomer | undefined>>(
  'sessions of customers', async () => undefined)
/** The merchant's decision in shop.config.ts: everybody of the staff needs a second factor, whatever their role. */
export const secondFactorForAll = provided<boolean>('second factor for all', false)
export const RoleNotFound = problem(
  'role-not-found', 404, 'No such role', Type.Object({ role: Type.Optional(Type.String()) })
)
export const RoleCodeTaken = problem('role-code-taken', 409, 'There is a role with this code')
export const RoleInUse = problem('role-in-use', 409, 'Somebody has this role')
export const RoleFixed = problem('role-fixed', 409, 'A system role cannot be changed: make one of your own')
export const KeyReplaced = problem('key-replaced', 409, 'This key was replaced, has ended, or was revoked')
export const KeyNotFound = problem('key-not-found', 404, 'No such key', Type.Object({ keyId: Type.String() }))
export const SessionNotFound = problem(
  'session-not-found', 404, 'No such session', Type.Object({ sessionId: Type.String() })
)

mapConstraint('staff_email_unique', () => EmailTaken({}))
mapConstraint(
  'staff_owner_remains',
  () => LastOwner({}, 'Make somebody else an owner first; an invitation counts once it is accepted.')
)
mapConstraint('staff_owner_everywhere', () => OwnerEverywhere({}))
mapConstraint('secret_key_replaced_once', () => KeyReplaced({}))
mapConstraint('role_pkey', () => RoleCodeTaken({}))
mapConstraint('staff_role', ({ detail }) => (detail.includes('is still referenced') ? RoleInUse({}) : RoleNotFound({})))

/**
 * Somebody asked for a new password; `staffId` is null when nobody has that address, which the answer must not show.
 */
export const PasswordResetRequested = event('identity.password-reset-requested', Type.Object({ staffId: nullable(Id) }))
/** Somebody asked for a link that signs in; `browser` is the hash of what their browser keeps. */
export const SignInLinkRequested = event(
  'identity.sign-in-link-requested', Type.Object({ staffId: nullable(Id), browser: Type.String() }))
