// Where messages go: to any SMTP server, or, while none is configured, into the development mailbox, which keeps them
// for the Admin API to show. In production there is no such mailbox (it would show reset links to staff): messages
// wait for a server.
import { provided } from '../../platform/provide.ts'
import type { Db } from '../../platform/db.ts'

export type Mail = { messageId: string; to: string; subject: string; text: string; html: string }

export type MailTransport = {
  /** Hands a message over. Throws MailRefused when it will never be taken, anything else when it may be later. */
  send(mail: Mail): Promise<void>
  /** Whether messages stay readable here after they were sent. */
  keeps: boolean
  close(): void
}

/** The server has looked at this very message and will not take it: trying again is no use. */
export class MailRefused extends Error {}

export type MailSettings = {
  transport: MailTransport | undefined
  from: string
  /** This server, where staff have their pages. */
  shopUrl: string
  /** Where shoppers have theirs, if elsewhere. */
  storefrontUrl?: string | undefined
}

export const developmentMailbox: MailTransport = { keeps: true, async send() {}, close() {} }

export const mailSettings = provided<MailSettings>('mail settings', {
  transport: developmentMailbox, from: 'shop@localhost', shopUrl: 'http://localhost:8000',
})

type MailConfig = {
  production: boolean
  smtpUrl: string | undefined
  mailFrom: string
  shopUrl: string
  storefrontUrl?: string | undefined
}

/** Sets where the messages of this shop go; answers what ends its connections. */
export function configureMail(db: Db, config: MailConfig): () => void {
  const { production, smtpUrl, mailFrom, shopUrl, storefrontUrl } = config
  const transport = smtpUrl ? smtpTransport(smtpUrl, mailFrom) : production ? undefined : developmentMailbox
  mailSettings.set(db, { transport, from: mailFrom, shopUrl: shopUrl.replace(/\/$/, ''), storefrontUrl })
  return () => transport?.close()
}

/**
 * An SMTP server, as smtp://user:password@host:587 or smtps://…:465. Its few connections are kept open between
 * messages.
 */
export function smtpTransport(url: string, from: string): MailTransport {
  let opening: Promise<import('nodemailer').Transporter> | undefined
  // Loaded with the first message: most processes send none, and it would cost their start.
  const open = async (): Promise<import('nodemailer').Transporter> => {
    const { createTransport } = await import('nodemailer')
    return createTransport({
      url, pool: true, maxConnections: 4, connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000,
      disableFileAccess: true, disableUrlAccess: true,
    } as object)
  }
  return {
    keeps: false,
    async send({ messageId, to, subject, text, html }) {
      opening ??= open()
      try {
        // An address object, because a text with a comma in it would be several people.
        await (await opening).sendMail({ messageId, from, to: { name: '', address: to }, subject, text, html })
      } catch (error) {
        throw refusesMessage(error as SmtpError) ? new MailRefused((error as Error).message) : error
      }
    },
    close() { void opening?.then((transporter) => transporter.close()) },
  }
}

type SmtpError = { code?: string; command?: string; responseCode?: number }

// A server that refuses the sender refuses the shop, for its password or its address. That is mended in the settings,
// and the messages wait for it.
function refusesMessage({ code, command, responseCode = 0 }: SmtpError): boolean {
  const aboutMessage = code === 'EENVELOPE' || code === 'EMESSAGE'
  return aboutMessage && (responseCode === 0 || (responseCode >= 500 && command !== 'MAIL FROM'))
}
