// What all messages share: an escaping tag for HTML and the frame around it. Mail programs know little CSS, so styles
// are inline.

/** `storefrontUrl`: where shoppers have their pages; `shopUrl` unless told. */
export type Surroundings = { locale: string; shopUrl: string; storefrontUrl?: string | undefined }
export type Content = { subject: string; text: string; body: Markup }

/** Text that is HTML already. Everything else is escaped when it is put into `html`. */
export class Markup {
  readonly text: string
  constructor(text: string) { this.text = text }
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** HTML whose values are escaped, unless they are HTML made by this tag; lists of such are joined. */
export function html(
  strings: TemplateStringsArray, ...values: (string | number | Markup | readonly Markup[])[]
): Markup {
  const shown = values.map((value) => {
    if (value instanceof Markup) return value.text
    if (typeof value === 'object') return value.map((part) => part.text).join('')
    return String(value).replace(/[&<>"']/g, (character) => entities[character]!)
  })
  return new Markup(strings.reduce((all, part, index) => all + shown[index - 1] + part))
}

export function layout(title: string, body: Markup, locale: string): string {
  const style = 'font:16px/1.5 system-ui,sans-serif;color:#1d1d1f;max-width:36rem;margin:0 auto;padding:24px'
  return html`<!doctype html>
<html lang="${locale}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title></head>
<body style="margin:0;background:#fff"><div style="${style}">${body}</div></body></html>
`.text
}

/** A link that looks like a button. */
export function button(url: string, label: string): Markup {
  const style =
    'display:inline-block;padding:10px 18px;border-radius:6px;background:#1d1d1f;color:#fff;text-decoration:none'
  return html`<p><a href="${url}" style="${style}">${label}</a></p>`
}
