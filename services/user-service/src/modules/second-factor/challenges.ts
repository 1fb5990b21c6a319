import { createHash, randomBytes } from 'node:crypto'
import type { RedisStore } from '@bigtech/service-kit'

/** The data stored with each kind of challenge. */
interface ChallengeData {
  /** The password was right; a code is required. */
  login: { readonly userId: number; readonly passwordMark: string }
  passkeyLogin: { readonly challenge: string }
  passkeyRegistration: { readonly challenge: string; readonly userId: number }
}

interface IssuedChallenge {
  readonly token: string
  readonly expiresInSeconds: number
}

/** Open challenges, identified by a random token of which only the hash is stored. */
export interface Challenges {
  issue<Kind extends keyof ChallengeData>(kind: Kind, data: ChallengeData[Kind]): Promise<IssuedChallenge>
  /** Returns the data; undefined when the token is unknown, used or expired. */
  read<Kind extends keyof ChallengeData>(kind: Kind, token: string): Promise<ChallengeData[Kind] | undefined>
  /** Like `read`, and uses up the challenge: exactly one of several concurrent calls gets the data. */
  take<Kind extends keyof ChallengeData>(kind: Kind, token: string): Promise<ChallengeData[Kind] | undefined>
}

const LIFETIME_SECONDS = 300

/** Creates challenges in Redis, which sign-in requires anyway. Every method @throws StoreUnavailable. */
export function createChallenges(redis: RedisStore): Challenges {
  return {
    issue: async (kind, data) => {
      const token = randomBytes(32).toString('base64url')
      await redis.run('challengeIssue', (client) =>
        client.set(keyOf(kind, token), JSON.stringify(data), 'EX', LIFETIME_SECONDS),
      )
      return { token, expiresInSeconds: LIFETIME_SECONDS }
    },
    read: async (kind, token) =>
      parse(await redis.run('challengeRead', (client) => client.get(keyOf(kind, token)))),
    take: async (kind, token) => {
      const key = keyOf(kind, token)
      return parse(await redis.run('challengeTake', (client) => client.getdel(key)))
    },
  }
}

function parse<Data>(text: string | null): Data | undefined {
  return text === null ? undefined : (JSON.parse(text) as Data)
}

function keyOf(kind: string, token: string): string {
  return `user:challenge:${kind}:${createHash('sha256').update(token).digest('base64url')}`
}
