// Descriptions come from merchants, imports and keys, and end up in shop pages: what could run there is removed before
// it is stored.
import sanitizeHtml from 'sanitize-html'

const rules: sanitizeHtml.IOptions = {
  allowedTags: [...sanitizeHtml.defaults.allowedTags, 'img', 'h1', 'h2', 'del', 'ins', 'picture', 'source'],
  allowedAttributes: {
    ...sanitizeHtml.defaults.allowedAttributes, '*': ['class', 'title', 'lang', 'dir'],
    a: ['href', 'name', 'target', 'rel'],
    img: ['src', 'alt', 'width', 'height', 'loading'], source: ['srcset', 'media', 'type'], td: ['colspan', 'rowspan'],
    th: ['colspan', 'rowspan'],
  },
  allowedSchemes: ['http', 'https', 'mailto', 'tel'],
  // A page that opens another window must not hand itself over to it.
  transformTags: { a: (tagName, attribs) =>
    ({ tagName, attribs: attribs['target'] ? { ...attribs, rel: 'noopener noreferrer' } : attribs }) },
}

// What is left around something that was removed is trimmed, so that a file that names it again names the same.
export function sanitize(html: string): string {
  return /[<&]/.test(html) ? sanitizeHtml(html, rules).trim() : html
}
