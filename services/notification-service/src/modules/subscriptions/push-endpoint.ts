import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/**
 * A push endpoint is an address that a client tells us to call: without limits anybody could make
 * us call our own network. Two gates, because a name may point elsewhere by the time it is used.
 */

/** Addresses that are not on the public internet. */
const privateAddresses = new BlockList()
for (const [address, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  privateAddresses.addSubnet(address, bits, 'ipv4')
}
for (const [address, bits] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const) {
  privateAddresses.addSubnet(address, bits, 'ipv6')
}

/** Whether an address is ours, a neighbour's or nobody's, rather than a public one. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 0) return true
  const mapped = /^::(?:ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped) return isPrivateAddress(mapped)
  if (/^::ffff:/i.test(address)) return true
  return privateAddresses.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/** The first gate: what an endpoint may look like. Says what is wrong with it. */
export function endpointFault(endpoint: string): string | undefined {
  const url = new URL(endpoint)
  if (url.protocol !== 'https:') return 'It must begin with https://.'
  if (url.username !== '' || url.password !== '') return 'It must not hold credentials.'
  if (url.port !== '') return 'It must use the standard port.'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0) return 'It must name a push service, not an address.'
  if (!host.includes('.') || /\.(local|localhost|internal|home\.arpa|lan)\.?$/i.test(host)) {
    return 'It must name a push service on the internet.'
  }
  return undefined
}

export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError'
}

/** The second gate, for `node:https`: connects only where every address of the name is public. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (err, addresses: LookupAddress[]) => {
    if (err) return callback(err, '', 0)
    const refused = addresses.length === 0 || addresses.some(({ address }) => isPrivateAddress(address))
    if (refused) return callback(new PrivateAddressError('the push service has a private address'), '', 0)
    if (options.all) return callback(null, addresses)
    const [first] = addresses as [LookupAddress]
    callback(null, first.address, first.family)
  })
}
