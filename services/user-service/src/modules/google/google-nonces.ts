import { randomBytes } from 'node:crypto'
import type { RedisStore } from '@bigtech/service-kit'

export const NONCE_SECONDS = 600

/** Nonces of sign-ins in progress, `user:google-nonce:{nonce}`. A lost one costs a second attempt. */
export interface GoogleNonces {
  issue(): Promise<string>
  isOpen(nonce: string): Promise<boolean>
  /**
   * Uses up a nonce. Returns false when it is unknown, expired, or used: exactly one of several concurrent
   * uses gets true.
   */
  use(nonce: string): Promise<boolean>
}

export function createGoogleNonces(redis: RedisStore): GoogleNonces {
  return {
    issue: async () => {
      const nonce = randomBytes(16).toString('base64url')
      await redis.run('nonceIssue', (client) => client.set(keyOf(nonce), '1', 'EX', NONCE_SECONDS))
      return nonce
    },
    isOpen: async (nonce) => (await redis.run('nonceRead', (client) => client.exists(keyOf(nonce)))) === 1,
    use: async (nonce) => (await redis.run('nonceUse', (client) => client.del(keyOf(nonce)))) === 1,
  }
}

function keyOf(nonce: string): string {
  return `user:google-nonce:${nonce.slice(0, 64)}`
}
