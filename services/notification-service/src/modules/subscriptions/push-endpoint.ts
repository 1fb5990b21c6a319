import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * A push endpoint is a client-supplied URL that this service calls (SSRF). Two checks, because a name may
 * resolve differently when it is used.
 */

/** Returns false only for addresses on the public internet: `unicast` excludes all reserved ranges. */
export function isPrivateAddress(address: string): boolean {
  return isIP(address) === 0 || ipaddr.process(address).range() !== 'unicast'
}

/** First check: the form of an endpoint. Returns what is wrong with it. */
export function endpointFault(endpoint: string): string | undefined {
  const url = new URL(endpoint)
  if (url.protocol !== 'https:') return 'Must begin with https://.'
  if (url.username !== '' || url.password !== '') return 'Must not contain credentials.'
  if (url.port !== '') return 'Must use the standard port.'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0) return 'Must be the host name of a push service, not an IP address.'
  if (!host.includes('.') || /\.(local|localhost|internal|home\.arpa|lan)\.?$/i.test(host)) {
    return 'Must be a push service on the public internet.'
  }
  return undefined
}

export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError'
}

/** Second check, for `node:https`: connects only if every address of the name is public. */
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
