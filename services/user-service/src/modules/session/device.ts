import { isIP } from 'node:net'

const browsers: readonly [RegExp, string][] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\/|\bOpera\b/, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bWhale\//, 'Whale'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/\bHeadlessChrome\/|\bChrome\/|\bCriOS\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]
const systems: readonly [RegExp, string][] = [
  [/\bAndroid\b/, 'Android'],
  [/\biPhone\b|\biPod\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
]

/** A User-Agent in a few words, for a list that people read: `Chrome on Windows`, `curl`. */
export function deviceOf(userAgent: string | undefined): string {
  if (!userAgent) return 'Unknown device'
  const system = systems.find(([pattern]) => pattern.test(userAgent))?.[1]
  const browser = browsers.find(([pattern]) => pattern.test(userAgent))?.[1]
  if (browser) return system ? `${browser} on ${system}` : browser
  const product = /^[\w .-]{1,40}(?=\/)/.exec(userAgent)?.[0]
  if (product && product !== 'Mozilla') return system ? `${product} on ${system}` : product
  return system ?? 'Unknown device'
}

/** The network of an address: enough to recognise where one was, too little to be traced by. */
export function ipPrefixOf(ip: string): string {
  return prefix(ip, 24, 48)
}

/** Whom to count: an IPv4 address is one subscriber, an IPv6 subscriber has a /64. */
export function subscriberOf(ip: string): string {
  return prefix(ip, 32, 64)
}

function prefix(ip: string, bits4: 24 | 32, bits6: 48 | 64): string {
  const address = ip.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
  if (isIP(address) === 4) {
    return bits4 === 32 ? address : `${address.split('.').slice(0, 3).join('.')}.0/24`
  }
  if (isIP(address) !== 6) return 'unknown'
  return `${groupsOf(address)
    .slice(0, bits6 / 16)
    .join(':')}::/${bits6}`
}

/** The eight groups of an IPv6 address, written out. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.split('%', 1)[0]!.split('::')
  const left = head.split(':').filter(Boolean)
  const right = (tail ?? '').split(':').filter(Boolean)
  const missing = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  return [...left, ...Array<string>(missing).fill('0'), ...right].map((group) =>
    Number.parseInt(group, 16).toString(16),
  )
}
