// Sends what is due. A worker takes a bounded batch by moving its due time ahead, sends without a lock or
// transaction, and writes each outcome. If it is killed between, the messages are due again after the lease: sent at
// least once, under one Message-ID.
import { Type, type Static } from 'typebox'
import { sql, type Db } from '../../platform/db.ts'
import { failpoint } from '../../platform/failpoint.ts'
import { counter } from '../../platform/metrics.ts'
import { MailRefused, mailSettings, type MailSettings, type MailTransport } from './mail.ts'
import type { TemplateName } from './notifications.ts'
import { renderMessage } from './render-message.ts'

const AT_ONCE = 20
// Longer than a batch can take when every message meets all of its timeouts.
const LEASE_SECONDS = 600
// With pauses that double from half a minute to an hour, about nine hours: a server's bad night.
const MAX_ATTEMPTS = 15

const outcomes = counter('messages_total', 'Messages by outcome of an attempt', ['outcome'])
const Taken = Type.Object({
  id: Type.String(), template: Type.String(), recipient: Type.String(), locale: Type.String(), data: Type.Any(),
  attempts: Type.Integer(),
})

/** Sends a batch; answers how many were tried. Several workers never take the same message. */
export async function sendMessages(db: Db): Promise<number> {
  const { transport, ...settings } = mailSettings.of(db)
  if (!transport) return 0
  const taken = await db.many(Taken, sql`
    update notifications.message set attempts = attempts + 1, due_at = now() + make_interval(secs => ${LEASE_SECONDS})
    where id = any(array(
      select id from notifications.message where state = 'waiting' and due_at <= now()
      order by due_at, id limit ${AT_ONCE} for update skip locked))
    returning id, template, recipient, locale, data, attempts`)
  await Promise.all(taken.map((message) => sendOne(db, transport, settings, message)))
  return taken.length
}

async function sendOne(
  db: Db, transport: MailTransport, settings: Omit<MailSettings, 'transport'>, message: Static<typeof Taken>,
): Promise<void> {
  try {
    const content = rendered(message, settings)
    const domain = settings.from.replace(/.*@/, '').replace(/>.*/, '')
    await transport.send({ messageId: `<${message.id}@${domain}>`, to: message.recipient, ...content })
  } catch (error) {
    return postpone(db, message, error as Error)
  }
  failpoint('message.sent')
  outcomes.inc({ outcome: 'sent' })
  // What was handed over is not kept: it may hold a secret, and says more about a person than anybody here needs.
  await db.run(sql`
    update notifications.message set state = 'sent', sent_at = now(), last_error = null,
      data = case when ${transport.keeps} then data end
    where id = ${message.id} and state = 'waiting'`)
}

// A message that its template cannot show is poisoned: it would fail the same way for ever.
function rendered(message: Static<typeof Taken>, { shopUrl, storefrontUrl }: Omit<MailSettings, 'transport'>) {
  try {
    return renderMessage(message.template as TemplateName, message.data, {
      locale: message.locale, shopUrl, storefrontUrl,
    })
  } catch (error) {
    throw new MailRefused(`The template ${message.template} cannot show its data: ${(error as Error).message}`)
  }
}

async function postpone(db: Db, { id, attempts }: Static<typeof Taken>, error: Error): Promise<void> {
  const park = error instanceof MailRefused || attempts >= MAX_ATTEMPTS
  outcomes.inc({ outcome: park ? 'parked' : 'postponed' })
  const pauseSeconds = Math.min(3_600, 30 * 2 ** (attempts - 1))
  await db.run(sql`
    update notifications.message set state = ${park ? 'parked' : 'waiting'}, last_error = left(${error.message}, 500),
      due_at = now() + make_interval(secs => ${pauseSeconds})
    where id = ${id} and state = 'waiting'`)
}
