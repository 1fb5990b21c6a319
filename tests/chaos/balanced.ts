import { stack } from '../e2e/stack.ts'

/**
 * Fetches like a load balancer: round robin over the processes, with failover to the other one when
 * unreachable. Does not repeat a request after the response has begun.
 */
export function balancedFetch(addresses: readonly string[]): typeof fetch {
  let turn = 0
  return async (input, init) => {
    const url = String(input)
    let failure: unknown
    for (let attempt = 0; attempt < addresses.length; attempt++) {
      const address = addresses[turn++ % addresses.length] as string
      try {
        return await fetch(url.replace(stack.chat, address), init)
      } catch (err) {
        if (init?.signal?.aborted) throw err
        failure = err
      }
    }
    throw failure
  }
}
