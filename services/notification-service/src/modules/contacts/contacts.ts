/** Returns the key of two users, in this order. */
export function pairOf(firstId: number, secondId: number): string {
  return `${firstId}:${secondId}`
}
