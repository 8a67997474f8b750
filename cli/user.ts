// kontor user: the people who work in the shop, for whoever has the machine: how they get in when no mail can be sent.
import { parseArgs } from 'node:util'
import { addStaff, issuePassword, type SignIn } from '../src/modules/identity/issue-password.ts'
import { EmailTaken, RoleNotFound } from '../src/modules/identity/identity.ts'
import { removeFactors } from '../src/modules/identity/second-factor.ts'
import { findStaff, listStaff } from '../src/modules/identity/staff.ts'
import { systemContext, type Db } from '../src/platform/db.ts'
import { isProblem } from '../src/platform/problem.ts'
import { withDatabase } from './open-database.ts'
import { UsageError, type Command } from './usage.ts'

export const user: Command = {
  summary: 'Staff: list them, add somebody, give a new password',
  help: `kontor user list
kontor user create EMAIL [--name NAME] [--role ROLE]   adds somebody and prints their password
kontor user password EMAIL [--drop-factors]            prints a new password, and signs them out everywhere

  --role ROLE   owner, manager, support, warehouse or one of your own; support unless named
  --drop-factors   takes their authenticator app, passkeys and recovery codes away: for somebody who lost them all

A password is printed once and kept as a hash only.`,

  async run(args) {
    const { values, positionals: [act = '', email, ...rest] } = parseArgs({
      args, allowPositionals: true, options: {
        name: { type: 'string' }, role: { type: 'string' }, 'drop-factors': { type: 'boolean' },
      },
    })
    if (act === 'list' && !email) return withDatabase(list)
    if (act !== 'create' && act !== 'password') throw new UsageError('Say what to do: list, create or password.')
    if (!email || rest.length > 0) throw new UsageError(`Name one person: kontor user ${act} EMAIL`)
    if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw new UsageError(`${email} is not an e-mail address.`)
    return withDatabase(async (db) => {
      const { name = email.split('@')[0]!, role = 'support' } = values
      const signIn = act === 'create' ? await create(db, { email, name, role }) : await issuePassword(db, email)
      if (!signIn) throw new UsageError(`Nobody has the address ${email}. There are: kontor user list`)
      if (values['drop-factors']) await dropFactors(db, email)
      process.stdout.write(`${signIn.email}   password: ${signIn.password}   (shown this once)\n`)
      return 0
    })
  },
}

async function list(db: Db): Promise<number> {
  for (const { email, name, role, active, invited } of await listStaff(db, { limit: 10_000 })) {
    const state = !active ? '   switched off' : invited ? '   invited' : ''
    process.stdout.write(`${email}   ${name}   ${role}${state}\n`)
  }
  return 0
}

async function dropFactors(db: Db, email: string): Promise<void> {
  const staff = await findStaff(db, email)
  if (staff) await db.transaction(systemContext(), (tx) => removeFactors(tx, staff.id))
}

async function create(db: Db, input: { email: string; name: string; role: string }): Promise<SignIn> {
  return addStaff(db, input).catch((error: unknown) => {
    if (isProblem(error, EmailTaken)) throw new UsageError(
      `${input.email} is there already: kontor user password ${input.email}`)
    if (isProblem(error, RoleNotFound)) throw new UsageError(
      `There is no role ${input.role}: choose owner, manager, support, warehouse, or one that you made.`)
    throw error
  })
}
