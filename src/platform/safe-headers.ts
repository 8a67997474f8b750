// What every answer tells a browser: that it is what its type says, is no page, loads nothing, stands in nobody's frame
// and tells no other site where it was read; and, in production under https, that there is no other way to come here.
// A page that we serve (/docs) says its own policy instead.
type Header = readonly [string, string]

/** Of this process: they follow from the environment, as what is strict does. */
export const SAFE_HEADERS: readonly Header[] = safeHeaders(process.env)

export function safeHeaders(environment: Record<string, string | undefined>): readonly Header[] {
  const secure = environment['NODE_ENV'] === 'production' && environment['PUBLIC_URL']?.startsWith('https:')
  return [
    ['x-content-type-options', 'nosniff'], ['referrer-policy', 'no-referrer'],
    ['content-security-policy', "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"],
    // A year, and the hosts below: what browsers ask of a site before they take it on their list.
    ...secure ? [['strict-transport-security', 'max-age=31536000; includeSubDomains'] as const] : [],
  ]
}

/** The same as an object, for a reply. */
export const SAFE: Record<string, string> = Object.fromEntries(SAFE_HEADERS)
