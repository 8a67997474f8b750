// The same rights in the hands of customers themselves: all that the shop knows of them, and the end of their account.
// Both want a recent proof, and a mailbox that is proven to be theirs, because that is by what the shop knows people.
import { signedCustomer, type Context, type Db } from '../../platform/db.ts'
import { route } from '../../platform/http.ts'
import { EmailUnproven } from '../customers/customers.ts'
import { forgetActors } from '../identity/authenticate.ts'
import { limitRate } from '../identity/limit-rate.ts'
import { sessionCookie } from '../identity/session-cookie.ts'
import { erasePerson, exportPerson, OrdersOpen, Person } from './person-routes.ts'

/** Throws EmailUnproven, and TooManyRequests: carts are read whole to find those of a person. */
async function ownEmail(db: Db, context: Context): Promise<string> {
  const { id, email, owns } = signedCustomer(context)
  if (!owns) throw EmailUnproven({})
  await limitRate(db, [{ name: 'own-data', subject: id, acts: 10, seconds: 86_400 }])
  return email
}

const access = 'customer' as const
const tags = ['Own data']

const postMyExport = route({
  method: 'POST', path: '/store/account/export', operationId: 'exportMyData', access, sensitive: true, tags,
  summary: 'Everything that the shop knows of you, as one document', response: { 200: Person }, replay: 'none',
  problems: [EmailUnproven], run: async ({ db, context }) => exportPerson(db, context, await ownEmail(db, context)),
})

const deleteMyAccount = route({
  method: 'DELETE', path: '/store/account', operationId: 'deleteMyAccount', access, sensitive: true, tags,
  summary: 'Delete the own account and what the shop knows of you',
  description: 'What was sold, at which price and tax and to which place stays, because the law asks for it, and ' +
    'names nobody any more. It cannot be undone.',
  response: { 204: null }, problems: [EmailUnproven, OrdersOpen],
  async run({ db, context, request, reply }) {
    await erasePerson(db, context, await ownEmail(db, context))
    forgetActors(db)
    reply.header('set-cookie', sessionCookie(request, undefined, 'customer'))
  },
})

export const ownRoutes = [postMyExport, deleteMyAccount]
