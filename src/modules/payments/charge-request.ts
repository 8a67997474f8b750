// What a gateway is asked to charge, made from the attempt alone: a repeat under a key must say the same, word for
// word, in whichever process and however much later it is sent.
import type { Db } from '../../platform/db.ts'
import { derivedToken } from '../../platform/derived-token.ts'
import { timeOfId } from '../../platform/id.ts'
import { paymentSetup, type ChargeRequest } from './gateway.ts'

/** How long a shopper may stay on a page of the gateway; while they may, their order keeps what it holds. */
export const PAGE_MINUTES = 60

export type Charge = Pick<ChargeRequest, 'key' | 'amountMinor' | 'currency' | 'capture' | 'data'>

export async function chargeRequest(db: Db, charge: Charge): Promise<ChargeRequest> {
  const returnUrl = `${paymentSetup.of(db).publicUrl}/payments/${charge.key}/return?token=${
    await returnToken(db, charge.key)}`
  const endsAt = new Date(timeOfId(charge.key).getTime() + PAGE_MINUTES * 60_000)
  return { ...charge, returnUrl, cancelUrl: `${returnUrl}&cancelled=true`, endsAt }
}

/** Whoever has it was sent to the gateway for this attempt. */
export const returnToken = (db: Db, attemptId: string): Promise<string> => derivedToken(db, 'return_', attemptId)
