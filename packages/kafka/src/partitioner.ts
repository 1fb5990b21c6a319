const SEED = 0x9747b28c
const M = 0x5bd1e995
const R = 24

/** Returns murmur2 of the data as computed by the Java client, on 32-bit integers. */
export function murmur2(data: Uint8Array): number {
  const { length } = data
  const words = length >> 2
  let h = SEED ^ length
  for (let word = 0; word < words; word++) {
    const i = word * 4
    let k = data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24)
    k = Math.imul(k, M)
    k ^= k >>> R
    h = Math.imul(h, M) ^ Math.imul(k, M)
  }
  const tail = words * 4
  const rest = length & 3
  if (rest === 3) h ^= data[tail + 2]! << 16
  if (rest >= 2) h ^= data[tail + 1]! << 8
  if (rest >= 1) h = Math.imul(h ^ data[tail]!, M)
  h ^= h >>> 13
  h = Math.imul(h, M)
  return h ^ (h >>> 15)
}

/** Returns the partition that every Kafka client with the default partitioner assigns to a key. */
export function partitionFor(key: string | Buffer, partitionCount: number): number {
  return (murmur2(typeof key === 'string' ? Buffer.from(key) : key) & 0x7fffffff) % partitionCount
}
