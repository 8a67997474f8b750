// Mails about a customer's account. Their links lead to pages of the storefront, with the secret behind #: browsers
// send that part to no server and no other page.
import type { MessageData } from '../notifications.ts'
import { button, html, type Content, type Surroundings } from './layout.ts'

type Link = MessageData['account-registration']
type Shown = { subject: string; about: string; label: string; page: string }

const pages = ({ storefrontUrl, shopUrl }: Surroundings): string => `${storefrontUrl ?? shopUrl}/account`

function validFor({ minutes }: Link): string {
  if (minutes < 60) return `${minutes} minutes`
  return minutes === 60 ? 'one hour' : `${Math.floor(minutes / 60)} hours`
}

function withLink({ subject, about, label, page }: Shown) {
  return (data: Link, surroundings: Surroundings): Content => {
    const url = `${pages(surroundings)}/${page}#token=${data.token}`
    const rest = `The link works once and for ${validFor(data)}. ` +
      'If you did not ask for this mail, ignore it: nothing has changed.'
    return {
      subject, text: `Hello,\n\n${about}\n\n${url}\n\n${rest}`,
      body: html`<p>Hello,</p><p>${about}</p>${button(url, label)}<p>${rest}</p>`,
    }
  }
}

function notice(subject: string, about: string, rest: string): Content {
  return {
    subject, text: `Hello,\n\n${about}\n\n${rest}`, body: html`<p>Hello,</p><p>${about}</p><p>${rest}</p>`,
  }
}

export const customerMessages = {
  'account-registration': {
    en: withLink({
      subject: 'Confirm your address', about: 'Somebody, probably you, wants an account with this address.',
      label: 'Open the account', page: 'register',
    }),
  },
  'account-known': {
    en: (_: MessageData['account-known'], surroundings: Surroundings) => notice('You have an account already',
      'Somebody, probably you, wanted a new account with this address, and there is one.',
      `Sign in at ${pages(surroundings)}, or ask for a new password there. If it was not you, ignore this mail.`),
  },
  'account-sign-in': {
    en: withLink({
      subject: 'Your link to sign in', about: 'Somebody, probably you, wants to sign in with this address.',
      label: 'Sign in', page: 'sign-in',
    }),
  },
  'account-password-reset': {
    en: withLink({
      subject: 'Set a new password', about: 'Somebody, probably you, asked for a new password.',
      label: 'Set a new password', page: 'set-password',
    }),
  },
  'account-email-change': {
    en: withLink({
      subject: 'Confirm your new address', about: 'This is to be the address of your account from now on.',
      label: 'Confirm', page: 'confirm-email',
    }),
  },
  'account-changed': {
    en: ({ what }: MessageData['account-changed'], surroundings: Surroundings) => notice('Your account was changed',
      what, `If this was not you, ask for a new password at ${pages(surroundings)} and write to us.`),
  },
}
