import ipaddr from 'ipaddr.js'

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

const names = [...browsers, ...systems].map(([, name]) => name)

/** Whether a device is named in our words alone, not in those of its User-Agent. */
export function isKnownDevice(device: string): boolean {
  return device.split(' on ').every((part) => names.includes(part))
}

/** The network of an address: enough to recognise where one was, too little to be traced by. */
export function ipPrefixOf(ip: string): string {
  return prefix(ip, 24, 48)
}

/** Whom to count: an IPv4 address is one subscriber, an IPv6 subscriber has a /64. */
export function subscriberOf(ip: string): string {
  return prefix(ip, 32, 64)
}

/** Returns `unknown` for text that is no address. */
function prefix(ip: string, bits4: 24 | 32, bits6: 48 | 64): string {
  if (!ipaddr.isValid(ip)) return 'unknown'
  // An IPv4-mapped IPv6 address counts as the IPv4 address that it holds; a zone says nothing of the subscriber.
  const address = ipaddr.process(ip.split('%', 1)[0]!)
  if (address.kind() === 'ipv4') {
    return bits4 === 32 ? `${address}` : `${ipaddr.IPv4.networkAddressFromCIDR(`${address}/24`)}/24`
  }
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/${bits6}`)}/${bits6}`
}
