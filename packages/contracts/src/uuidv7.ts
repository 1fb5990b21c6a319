const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const RANDOM_BYTES = 10
/** Random bytes for many ids at once: the call costs more than the bytes. */
const pool = new Uint8Array(RANDOM_BYTES * 100)
let used = pool.length

/**
 * Returns a UUID version 7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, then random bits, so that ids
 * sort by creation time and index well.
 */
export function uuidv7(nowMs: number = Date.now()): string {
  if (used === pool.length) {
    crypto.getRandomValues(pool)
    used = 0
  }
  const hex = (at: number) => HEX[pool[used + at]!]!
  const time = nowMs.toString(16).padStart(12, '0')
  const version = HEX[(pool[used]! & 0x0f) | 0x70]! + hex(1)
  const variant = HEX[(pool[used + 2]! & 0x3f) | 0x80]! + hex(3)
  const node = hex(4) + hex(5) + hex(6) + hex(7) + hex(8) + hex(9)
  used += RANDOM_BYTES
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${variant}-${node}`
}
