import {
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
  SignJWT,
} from 'jose'

export interface TestIssuer {
  /** For `buildXService(config, { keys })`. */
  readonly keys: JWTVerifyGetKey
  /** The public key in the format of user-service's /.well-known/jwks.json. */
  readonly jwks: JSONWebKeySet
  /** Returns an access token like user-service's. */
  token(claims: {
    userId: number
    sessionId?: string
    username?: string
    expiresInSeconds?: number
  }): Promise<string>
}

/** Creates a token issuer with its own key, in place of user-service. */
export async function createTestIssuer(): Promise<TestIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'test', alg: 'EdDSA', use: 'sig' }
  return {
    keys: createLocalJWKSet({ keys: [jwk] }),
    jwks: { keys: [jwk] },
    token: ({
      userId,
      sessionId = crypto.randomUUID(),
      username = `user${userId}`,
      expiresInSeconds = 600,
    }) => {
      const now = Math.floor(Date.now() / 1_000)
      return new SignJWT({ sid: sessionId, username })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'test' })
        .setSubject(String(userId))
        .setIssuer('bigtech-user-service')
        .setAudience('bigtech-chat')
        .setIssuedAt(Math.min(now, now + expiresInSeconds))
        .setExpirationTime(now + expiresInSeconds)
        .sign(privateKey)
    },
  }
}
