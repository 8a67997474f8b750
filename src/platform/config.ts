// Configuration from the environment, checked at start: every error at once, each naming its variable and the cure.
// What is code (roles, plugins, payment methods) stands in shop.config.ts instead.
import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { isIPv4, isIPv6 } from 'node:net'

export type Config = {
  production: boolean
  databaseUrl: string | undefined
  host: string
  port: number
  publicUrl: string | undefined
  logLevel: string
  poolSize: number
  mediaDir: string | undefined
  /** Where media lie instead of a folder. */
  s3: { endpoint: string; bucket: string; region: string; accessKeyId: string; secretAccessKey: string } | undefined
  smtpUrl: string | undefined
  mailFrom: string
  trustProxy: string | false
  cacheMegabytes: number
  /** How long a CDN in front may keep catalogue answers; 0: no CDN is told to. */
  cdnSeconds: number
  /** Requests within a minute, of a secret key and of an address prefix; 0: no limit. */
  requestsPerKey: number
  requestsPerAddress: number
  /** A file of mail domains under which nobody may order. */
  disposableMail: string | undefined
  /** A list of breached passwords with the range interface of Pwned Passwords. */
  breachedPasswords: string | undefined
  /** A server that forgets in a power cut is taken even in production. */
  unsafeDatabase: boolean
  demo: boolean
}

export class ConfigError extends Error {}

type Environment = Record<string, string | undefined>

/** Reads the configuration, or throws one ConfigError that lists all that is wrong. */
export function readConfig(environment: Environment): Config {
  const errors: string[] = []
  const text = (name: string): string | undefined => environment[name]?.trim() || undefined
  const whole = (name: string, fallback: number, min: number, max: number): number => {
    const value = text(name)
    if (value === undefined) return fallback
    const number = Number(value)
    if (Number.isInteger(number) && number >= min && number <= max) return number
    errors.push(`${name} is "${value}": give a whole number from ${min} to ${max}, or leave it out for ${fallback}`)
    return fallback
  }
  const oneOf = (name: string, allowed: readonly string[], fallback: string): string => {
    const value = text(name) ?? fallback
    if (!allowed.includes(value)) errors.push(`${name} is "${value}": give one of ${allowed.join(', ')}`)
    return value
  }
  const url = (name: string, protocols: readonly string[]): string | undefined => {
    const value = text(name)
    if (value === undefined) return undefined
    if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) {
      // its value may hold a password
      errors.push(`${name} is not an address that begins with ${protocols.map((one) => `${one}//`).join(' or ')}`)
    }
    return value
  }
  const production = environment['NODE_ENV'] === 'production'
  const config: Config = {
    production,
    databaseUrl: url('DATABASE_URL', ['postgres:', 'postgresql:']),
    host: text('HOST') ?? (production ? '0.0.0.0' : '127.0.0.1'),
    port: whole('PORT', 8000, 0, 65_535),
    publicUrl: url('PUBLIC_URL', ['http:', 'https:']),
    logLevel: oneOf('LOG_LEVEL', ['silent', 'error', 'warn', 'info', 'debug'], production ? 'info' : 'warn'),
    poolSize: whole('DATABASE_POOL', 16, 2, 200),
    mediaDir: folder('MEDIA_DIR', text('MEDIA_DIR'), errors),
    s3: readS3(text, url, errors),
    smtpUrl: url('SMTP_URL', ['smtp:', 'smtps:']),
    mailFrom: text('MAIL_FROM') ?? 'shop@localhost',
    trustProxy: proxies(text('TRUST_PROXY'), errors),
    cacheMegabytes: whole('CACHE_MB', 64, 1, 16_384),
    cdnSeconds: whole('CDN_SECONDS', 0, 0, 31_536_000),
    requestsPerKey: whole('REQUESTS_PER_KEY', production ? 60_000 : 0, 0, 1e9),
    requestsPerAddress: whole('REQUESTS_PER_ADDRESS', 0, 0, 1e9),
    disposableMail: text('DISPOSABLE_MAIL'),
    breachedPasswords: url('BREACHED_PASSWORDS', ['https:']),
    unsafeDatabase: oneOf('UNSAFE_DATABASE', ['0', '1'], '0') === '1',
    demo: oneOf('DEMO', ['0', '1'], production ? '0' : '1') === '1',
  }
  if (production && !config.publicUrl) errors.push(
    'PUBLIC_URL is missing: links in mails need the address under which customers reach this shop'
  )
  if (production && config.demo) errors.push(
    'DEMO is 1 in production: leave it out, the demo shop takes payments that nobody makes'
  )
  if (errors.length > 0) throw new ConfigError(
    `The configuration has ${errors.length === 1 ? 'an error'
      : `${errors.length} errors`}:\n${errors.map((line) => `  - ${line}`).join('\n')}`)
  return config
}

/** A folder that is there, or can be made in one that is, and takes files: known now, not at the first picture. */
function folder(name: string, path: string | undefined, errors: string[]): string | undefined {
  if (path === undefined) return undefined
  try {
    if (!statSync(path, { throwIfNoEntry: false })) mkdirSync(path)
    if (!statSync(path).isDirectory()) errors.push(`${name} is ${path}, which is no folder: name one`)
    else accessSync(path, constants.W_OK | constants.X_OK)
  } catch (error) {
    const { message } = error as Error
    errors.push(`${name} is ${path}, which takes no files (${message}): make it, and let us write there`)
  }
  return path
}

/** Addresses and networks, with commas: never "all", or every shopper could say where they come from. */
function proxies(value: string | undefined, errors: string[]): string | false {
  const named = ['loopback', 'linklocal', 'uniquelocal']
  const wrong = (value?.split(',') ?? []).map((one) => one.trim()).find((one) => {
    const [address = '', bits] = one.split('/')
    const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1
    const isNetwork = bits === undefined || (/^\d+$/.test(bits) && +bits > 0 && +bits <= most)
    return !named.includes(one) && (most < 0 || !isNetwork)
  })
  if (wrong === undefined) return value ?? false
  errors.push(`TRUST_PROXY has "${wrong}": give addresses or networks of your proxies, as 10.0.0.0/8, or ` +
    `${named.join(', ')}`)
  return false
}

type S3 = NonNullable<Config['s3']>
const s3Variables: readonly (readonly [keyof S3, string])[] = [
  ['endpoint', 'S3_ENDPOINT'], ['bucket', 'S3_BUCKET'], ['region', 'S3_REGION'], ['accessKeyId', 'S3_ACCESS_KEY_ID'],
  ['secretAccessKey', 'S3_SECRET_ACCESS_KEY'],
]

/** A bucket needs all five, or none of them is set and media lie in a folder. */
function readS3(
  text: (name: string) => string | undefined, url: (name: string, protocols: readonly string[]) => string | undefined,
  errors: string[],
): S3 | undefined {
  const missing = s3Variables.filter(([, name]) => !text(name))
  if (missing.length === s3Variables.length) return undefined
  for (const [, name] of missing) errors.push(`${name} is missing: media in a bucket need all five S3_ variables`)
  url('S3_ENDPOINT', ['http:', 'https:'])
  return Object.fromEntries(s3Variables.map(([field, name]) => [field, text(name) ?? ''])) as S3
}
