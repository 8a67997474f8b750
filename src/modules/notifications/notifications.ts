// The words of notifications: which messages there are, what one looks like, and what can be wrong. No I/O.
import { Type, type Static, type TSchema } from 'typebox'
import { Id, Timestamp } from '../../platform/http.ts'
import { problem } from '../../platform/problem.ts'

export const templateNames = ['order-confirmation', 'password-reset', 'password-changed', 'staff-invitation'] as const
export type TemplateName = (typeof templateNames)[number]

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

export const MessageState = Type.Enum(['waiting', 'sent', 'parked'])

/** A message as the list shows it: what it says comes with reading a single one. */
export const MessageSummary = Type.Object({
  id: Id, template: Type.String(), recipient: Type.String(), locale: Type.String(), state: MessageState, attempts: Type.Integer(),
  lastError: nullable(Type.String()), createdAt: Timestamp, sentAt: nullable(Timestamp),
})

export const Message = Type.Object({
  ...MessageSummary.properties,
  content: nullable(Type.Object({ subject: Type.String(), text: Type.String(), html: Type.String() }, {
    description: 'Null once a mail server has taken the message: it is not kept after that',
  })),
})
export type Message = Static<typeof Message>

export const MessageNotFound = problem('message-not-found', 404, 'No such message', Type.Object({ messageId: Type.String() }))
export const MessageNotParked = problem('message-not-parked', 409, 'Only a parked message can be sent again')
