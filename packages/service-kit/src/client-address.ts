import ipaddr from 'ipaddr.js'

/**
 * Returns the network of an address in CIDR notation, with `bits4` bits of an IPv4 address and `bits6` of an IPv6 address;
 * the address itself for 32 bits, and `unknown` for text that is no address.
 */
export function addressPrefix(ip: string, bits4: 24 | 32, bits6: 48 | 64): string {
  if (!ipaddr.isValid(ip)) return 'unknown'
  // An IPv4-mapped IPv6 address counts as the IPv4 address that it holds; a zone says nothing of the subscriber.
  const address = ipaddr.process(ip.split('%', 1)[0]!)
  if (address.kind() === 'ipv4') {
    return bits4 === 32 ? `${address}` : `${ipaddr.IPv4.networkAddressFromCIDR(`${address}/24`)}/24`
  }
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/${bits6}`)}/${bits6}`
}

const MOST_NETWORKS = 1_000
const networks = new Map<string, string>()

/** Returns what logs and lists of sessions show of an address: the network, too coarse to identify a subscriber. */
export function networkOf(ip: string): string {
  const known = networks.get(ip)
  if (known !== undefined) return known
  const network = addressPrefix(ip, 24, 48)
  if (networks.size >= MOST_NETWORKS) networks.clear()
  networks.set(ip, network)
  return network
}
