// What customers know of a person, told as a whole and removed as a whole. The consents stay: they prove that a mail
// was allowed, and lead to nobody without the shop's secret and the address.
import { sql, type Db, type Tx } from '../../platform/db.ts'
import { eraseStoreCredit, storeCreditOf } from '../payments/store-credit.ts'
import { addressesOf } from './addresses.ts'
import { consentsOf } from './consents.ts'
import { readCustomers, subjectOf } from './people.ts'

export async function customerOfPerson(db: Db, email: string) {
  const [customer] = await readCustomers(db, sql`email = ${email}`, { limit: 1 })
  const subject = await subjectOf(db, email)
  return {
    subject, customer: customer ?? null, consents: await consentsOf(db, subject),
    addresses: customer ? await addressesOf(db, customer.id) : [],
    storeCredit: customer ? await storeCreditOf(db, customer.id) : [],
  }
}

/**
 * Removes the customer with their addresses, groups and totals; their credit is nobody's then. Asked twice it changes
 * nothing more.
 */
export async function eraseCustomer(tx: Tx, email: string): Promise<number> {
  const [customer] = await readCustomers(tx, sql`email = ${email}`, { limit: 1 })
  if (customer) await eraseStoreCredit(tx, customer.id)
  return tx.run(sql`delete from customers.customer where email = ${email}`)
}
