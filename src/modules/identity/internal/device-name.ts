// What people read in the list of their sessions: "Firefox on Windows", and a part of the network address that is
// coarse enough to be recognised. Browsers name one another in User-Agent, so the order counts; a program is called
// what it calls itself.
import { isIPv4 } from 'node:net'
import { addressPrefix } from '../limit-rate.ts'

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\/|\bEdgiOS\//, 'Edge'], [/\bOPR\/|\bOpera\b/, 'Opera'], [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'], [/\bChrome\/|\bCriOS\//, 'Chrome'], [/\bVersion\/[\d.]+.*\bSafari\//, 'Safari'],
]
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'iPhone'], [/\biPad\b/, 'iPad'], [/\bAndroid\b/, 'Android'], [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'], [/\bCrOS\b/, 'ChromeOS'], [/\bLinux\b/, 'Linux'],
]

export function deviceName(userAgent: string): string {
  const first = (list: typeof BROWSERS): string | undefined => list.find(([pattern]) => pattern.test(userAgent))?.[1]
  const [browser, system] = [first(BROWSERS), first(SYSTEMS)]
  if (browser && system) return `${browser} on ${system}`
  return browser ?? system ?? /^[\w.-]{1,40}(?=\/|$)/.exec(userAgent)?.[0] ?? 'unknown'
}

/** The network of an address: no look-up, no map, nothing that another company is asked. */
export function placeOf(address: string): string {
  const prefix = addressPrefix(address)
  if (isIPv4(prefix)) return prefix.replace(/\d+$/, '0/24')
  return `${prefix.replace('::/56', '00').match(/.{4}/g)?.join(':')}::/56`
}
