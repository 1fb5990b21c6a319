import { addressPrefix, networkOf } from '@bigtech/service-kit'

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

/** Returns a short description of a User-Agent for display: `Chrome on Windows`, `curl`. */
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

/** Returns whether a description consists only of our words, not of those in its User-Agent. */
export function isKnownDevice(device: string): boolean {
  return device.split(' on ').every((part) => names.includes(part))
}

/** Returns the network of an address: enough to recognize a location, too little for tracking. */
export function ipPrefixOf(ip: string): string {
  return networkOf(ip)
}

/** Returns the subscriber of an address: the address itself for IPv4, the /64 for IPv6. */
export function subscriberOf(ip: string): string {
  return addressPrefix(ip, 32, 64)
}
