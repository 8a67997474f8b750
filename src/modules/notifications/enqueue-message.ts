// How the rest of the shop writes to people: the message is a row of the caller's transaction, and is sent after it.
import { json, sql, type Tx } from '../../platform/db.ts'
import { newId } from '../../platform/id.ts'
import type { MessageData, TemplateName } from './notifications.ts'

/**
 * Sends a message once the transaction is committed. One statement; may be one of the promises of `tx.commit`. Each
 * call is one message: a handler that may run twice asks `firstTime` before. `data` is what the template shows.
 */
export async function enqueueMessage<Name extends TemplateName>(
  tx: Tx, template: Name, to: string, data: MessageData[Name], { locale = 'en' }: { locale?: string } = {},
): Promise<void> {
  await tx.run(sql`insert into notifications.message (id, template, recipient, locale, data)
    values (${newId()}, ${template}, ${to}, ${locale}, ${json(data)}::jsonb)`)
}
