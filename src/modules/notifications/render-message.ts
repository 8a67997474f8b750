// Makes text and HTML of a message. Every value is escaped by the `html` tag, so nothing that a customer typed
// becomes markup. Templates are functions by language; a language without one of its own gets English, with amounts
// in its own notation.
import { accountMessages } from './internal/account-messages.ts'
import { customerMessages } from './internal/customer-messages.ts'
import { orderMessages } from './internal/order-messages.ts'
import { staffMessages } from './internal/staff-messages.ts'
import type { MessageData, TemplateName } from './notifications.ts'
import { layout, type Content, type Surroundings } from './internal/layout.ts'

type Template<Name extends TemplateName> = (data: MessageData[Name], surroundings: Surroundings) => Content
type Templates = { [Name in TemplateName]: Record<'en', Template<Name>> }
const templates: Templates = { ...orderMessages, ...accountMessages, ...customerMessages, ...staffMessages }

/** Templates whose link lets in whoever has it: what they say is shown to nobody but the recipient. */
export const secretTemplates: ReadonlySet<string> = new Set<TemplateName>([
  'password-reset', 'staff-invitation', 'sign-in-link', 'email-change', 'account-registration', 'account-sign-in',
  'account-password-reset', 'account-email-change',
])

/** Throws when the data is not what the template shows. */
export function renderMessage<Name extends TemplateName>(
  template: Name, data: MessageData[Name], surroundings: Surroundings,
): { subject: string; text: string; html: string } {
  const byLanguage: Record<string, Template<Name>> = templates[template]
  const language = surroundings.locale.split('-')[0]!
  const show = byLanguage[surroundings.locale] ?? byLanguage[language] ?? templates[template].en
  const { subject, text, body } = show(data, surroundings)
  return { subject, text: `${text.trim()}\n`, html: layout(subject, body, surroundings.locale) }
}
