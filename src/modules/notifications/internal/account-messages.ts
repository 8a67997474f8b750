// Mails about a staff account. A secret stands behind # in its link: browsers send that part to no server and no
// other page.
import type { MessageData } from '../notifications.ts'
import { button, html, type Content, type Surroundings } from './layout.ts'

type Link = MessageData['password-reset'] | MessageData['sign-in-link']
type Shown = { subject: string; about: string; label: string; page?: string }

function validFor(data: Link): string {
  if ('minutes' in data) return `${data.minutes} minutes`
  return data.hours === 1 ? 'one hour' : `${data.hours} hours`
}

function withLink({ subject, about, label, page = 'set-password' }: Shown) {
  return (data: Link, { shopUrl }: Surroundings): Content => {
    const url = `${shopUrl}/dashboard/${page}#token=${data.token}`
    const rest = `The link works once and for ${validFor(data)}. ` +
      'If you did not expect this mail, ignore it: nothing has changed.'
    return {
      subject,
      text: `Hello ${data.name},\n\n${about}\n\n${url}\n\n${rest}`,
      body: html`<p>Hello ${data.name},</p><p>${about}</p>${button(url, label)}<p>${rest}</p>`,
    }
  }
}

function notice(subject: string, name: string, about: string, { shopUrl }: Surroundings): Content {
  const rest = `If this was not you, ask for a new password at ${shopUrl}/dashboard and tell an owner of the shop.`
  return {
    subject, text: `Hello ${name},\n\n${about}\n\n${rest}`,
    body: html`<p>Hello ${name},</p><p>${about}</p><p>${rest}</p>`,
  }
}

export const accountMessages = {
  'password-reset': {
    en: withLink({
      subject: 'Set a new password', about: 'Somebody, probably you, asked for a new password.',
      label: 'Set a new password',
    }),
  },
  'staff-invitation': {
    en: withLink({
      subject: 'You are invited', about: 'You were invited to work on the shop. Choose a password to begin.',
      label: 'Choose a password',
    }),
  },
  'email-change': {
    en: withLink({
      subject: 'Confirm your new address', about: 'This is to be the address of your account from now on.',
      label: 'Confirm', page: 'confirm-email',
    }),
  },
  'sign-in-link': {
    en: withLink({
      subject: 'Your link to sign in', about: 'Somebody, probably you, wants to sign in with this address.',
      label: 'Sign in', page: 'sign-in',
    }),
  },
  'password-changed': {
    en: ({ name }: MessageData['password-changed'], surroundings: Surroundings) => notice('Your password was changed',
      name, 'Your password was changed, and every other session was ended.', surroundings),
  },
  'sign-in-changed': {
    en: ({ name, what }: MessageData['sign-in-changed'], surroundings: Surroundings) =>
      notice('How you sign in was changed', name, what, surroundings),
  },
}
