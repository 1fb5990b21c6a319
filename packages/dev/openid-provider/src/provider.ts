import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import Provider from 'oidc-provider'

export const CLIENT_ID = 'bigtech-chat'
export const CLIENT_SECRET = 'not-a-secret'

/** A running provider with its signing key, so that tests can forge tokens. */
export interface OpenIdProvider {
  readonly issuer: string
  readonly jwksUrl: string
  readonly authorizationUrl: string
  readonly signingKey: { readonly kid: string; readonly key: CryptoKey }
  stop(): Promise<void>
}

export interface OpenIdProviderOptions {
  /** 0 selects a free port. */
  readonly port: number
  /** Allowed redirect addresses. Loopback only. */
  readonly redirectUris: readonly string[]
}

/**
 * Starts a provider shaped like Google: RS256, the claims `email`, `email_verified` and `name`, the code
 * flow and `response_type=id_token`. Accepts any address; one that begins with `unverified` is not
 * verified.
 */
export async function startOpenIdProvider({
  port,
  redirectUris,
}: OpenIdProviderOptions): Promise<OpenIdProvider> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = await exportJWK(privateKey)
  // The thumbprint, so that verifiers fetch the keys again after a restart.
  const kid = await calculateJwkThumbprint(jwk)
  const server = createServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${portOf(server)}`
  server.on(
    'request',
    createProvider(issuer, { ...jwk, kid, alg: 'RS256', use: 'sig' }, redirectUris).callback(),
  )
  return {
    issuer,
    jwksUrl: `${issuer}/jwks`,
    authorizationUrl: `${issuer}/auth`,
    signingKey: { kid, key: privateKey },
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function createProvider(issuer: string, jwk: JWK, redirectUris: readonly string[]): Provider {
  return new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        // A native client may use http on loopback with `response_type=id_token`.
        application_type: 'native',
        redirect_uris: redirectUris,
        response_types: ['code', 'id_token'],
        grant_types: ['authorization_code', 'implicit'],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    jwks: { keys: [jwk] },
    // Google puts the claims into the token itself.
    conformIdTokenClaims: false,
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    features: { devInteractions: { enabled: true } },
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
    pkce: { required: () => false },
    findAccount: (_context: unknown, login: string) => ({
      accountId: login,
      claims: () => claimsOf(login),
    }),
  })
}

function claimsOf(login: string) {
  const email = login.includes('@') ? login : `${login}@example.com`
  return {
    sub: login,
    email,
    email_verified: !login.startsWith('unverified'),
    name: email.split('@')[0],
  }
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The provider does not listen.')
  return address.port
}
