// The messages of the shop as staff see them: what was sent, what waits, what is parked and why. While the
// development mailbox is in use, this is where its mail is read.
import { Type } from 'typebox'
import { none, sql, type Db } from '../../platform/db.ts'
import { decodeCursor, encodeCursor, Id, Page, PageQuery, route } from '../../platform/http.ts'
import { InvalidCursor } from '../../platform/problem.ts'
import { mailSettings, type MailSettings } from './mail.ts'
import {
  Message, MessageNotFound, MessageNotParked, MessageState, MessageSummary, type MessageData, type TemplateName,
} from './notifications.ts'
import { renderMessage, secretTemplates } from './render-message.ts'

const columns = sql`id, template, recipient, locale, state, attempts, last_error as "lastError",
  created_at as "createdAt", sent_at as "sentAt"`
const WithData = Type.Object({ ...MessageSummary.properties, data: Type.Any() })

async function getMessage(db: Db, messageId: string) {
  const row = await db.maybe(WithData, sql`select ${columns}, data from notifications.message where id = ${messageId}`)
  if (!row) throw MessageNotFound({ messageId })
  const { data, ...message } = row
  const settings = mailSettings.of(db)
  const hidden = data === null || (secretTemplates.has(message.template) && !settings.transport?.keeps)
  return { ...message, content: hidden ? null : contentOf(message, data, settings) }
}

// A poisoned message is parked because it cannot be shown; its other facts still can.
function contentOf(
  { template, locale }: MessageSummary, data: MessageData[TemplateName], { shopUrl, storefrontUrl }: MailSettings,
) {
  try {
    return renderMessage(template as TemplateName, data, { locale, shopUrl, storefrontUrl })
  } catch {
    return null
  }
}

const params = Type.Object({ messageId: Id })
const tags = ['Messages']

const listMessages = route({
  method: 'GET', path: '/admin/messages', access: { permission: 'notifications:read' }, tags,
  summary: 'List messages, newest first',
  query: Type.Object({
    ...PageQuery, state: Type.Optional(MessageState), recipient: Type.Optional(Type.String({ maxLength: 254 })),
  }),
  response: { 200: Page(MessageSummary) }, problems: [InvalidCursor],
  async run({ db, query: { limit = 20, cursor, state, recipient } }) {
    const items = await db.many(MessageSummary, sql`
      select ${columns} from notifications.message
      where true ${cursor ? sql`and id < ${decodeCursor(cursor, [Id])[0]}` : none}
        ${state ? sql`and state = ${state}` : none}
        ${recipient ? sql`and lower(recipient) = lower(${recipient})` : none}
      order by id desc limit ${limit + 1}`)
    const page = items.slice(0, limit)
    return { items: page, nextCursor: items.length > limit ? encodeCursor([page.at(-1)!.id]) : null }
  },
})

const readMessage = route({
  method: 'GET', path: '/admin/messages/:messageId', access: { permission: 'notifications:read' }, tags,
  summary: 'Read a message and what it says', params, response: { 200: Message }, problems: [MessageNotFound],
  run: ({ db, params: { messageId } }) => getMessage(db, messageId),
})

const postRetry = route({
  method: 'POST', path: '/admin/messages/:messageId/retry', operationId: 'retryMessage',
  access: { permission: 'notifications:write' }, tags,
  summary: 'Send a parked message again',
  description: 'Under the same Message-ID. A message that waits again is not parked.',
  params, response: { 202: Message }, problems: [MessageNotFound, MessageNotParked], replay: 'none',
  async run({ db, context, params: { messageId } }) {
    await db.transaction(context, async (tx) => {
      const again = await tx.run(sql`
        update notifications.message set state = 'waiting', attempts = 0, due_at = now()
        where id = ${messageId} and state = 'parked'`)
      const there = again === 1 || await tx.maybe(
        Type.Object({ id: Id }), sql`select id from notifications.message where id = ${messageId}`
      )
      if (!there) throw MessageNotFound({ messageId })
      if (again === 0) throw MessageNotParked({})
    })
    return getMessage(db, messageId)
  },
})

export const messageRoutes = [listMessages, readMessage, postRetry]
