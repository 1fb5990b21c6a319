import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * A push endpoint is an address that a client tells us to call: without limits anybody could make
 * us call our own network. Two gates, because a name may point elsewhere by the time it is used.
 */

/** True unless the address is on the public internet: `unicast` is what no reserved range holds. */
export function isPrivateAddress(address: string): boolean {
  return isIP(address) === 0 || ipaddr.process(address).range() !== 'unicast'
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
