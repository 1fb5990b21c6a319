import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { ConfigError } from '@bigtech/service-kit'
import { calculateJwkThumbprint, createLocalJWKSet, exportJWK, type JWTVerifyGetKey } from 'jose'

export interface PublicJwk {
  readonly kty: string
  readonly crv: string
  readonly x: string
  readonly kid: string
  readonly alg: string
  readonly use: string
}

/** The keys of access tokens: the first key signs, all keys verify until they are removed from the file. */
export interface SigningKeys {
  readonly signer: { readonly key: KeyObject; readonly kid: string }
  readonly publicKeys: readonly PublicJwk[]
  readonly verifyKeys: JWTVerifyGetKey
  /** The public keys as PEM, by `kid`. */
  readonly publicPems: ReadonlyMap<string, string>
  /** Creation time of the signing key, if the file contains it. */
  readonly createdAt: Date
}

interface PrivateKey {
  readonly key: KeyObject
  readonly kid?: string
  /** Unix seconds. */
  readonly iat?: number
}

const ALGORITHM = 'EdDSA'
const PEM_BLOCK = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----/g

/**
 * Reads JWT_PRIVATE_KEY_FILE: PKCS#8 PEM blocks, a JWK set, or one JWK.
 * @throws ConfigError with an instruction, never with file content
 */
export async function readSigningKeys(file: string): Promise<SigningKeys> {
  const { text, modifiedAt } = readKeyFile(file)
  const keys = parseKeys(text, file)
  const first = keys[0]
  if (!first) throw new ConfigError(`JWT_PRIVATE_KEY_FILE: ${file} contains no key.`)
  const publicKeys = await Promise.all(keys.map(toPublicJwk))
  return {
    signer: { key: first.key, kid: publicKeys[0]!.kid },
    publicKeys,
    verifyKeys: createLocalJWKSet({ keys: [...publicKeys] }),
    publicPems: new Map(keys.map(({ key }, index) => [publicKeys[index]!.kid, publicPemOf(key)])),
    createdAt: first.iat === undefined ? modifiedAt : new Date(first.iat * 1_000),
  }
}

function readKeyFile(file: string): { text: string; modifiedAt: Date } {
  try {
    return { text: readFileSync(file, 'utf8'), modifiedAt: statSync(file).mtime }
  } catch (cause) {
    throw new ConfigError(
      `JWT_PRIVATE_KEY_FILE: ${file} cannot be read (${(cause as NodeJS.ErrnoException).code}). ` +
        'Create a key with: openssl genpkey -algorithm ed25519 -out <file>',
    )
  }
}

function parseKeys(text: string, file: string): PrivateKey[] {
  try {
    const blocks = text.match(PEM_BLOCK)
    const keys = blocks ? blocks.map((pem) => ({ key: createPrivateKey(pem) })) : parseJwks(text)
    if (keys.some(({ key }) => key.asymmetricKeyType !== 'ed25519')) throw new Error('not Ed25519')
    return keys
  } catch {
    // The parser's message may quote the key.
    throw new ConfigError(
      `JWT_PRIVATE_KEY_FILE: ${file} must contain Ed25519 private keys, as PKCS#8 PEM or as a JWK set.`,
    )
  }
}

function parseJwks(text: string): PrivateKey[] {
  const parsed = JSON.parse(text) as Jwk | { keys: Jwk[] }
  const jwks: Jwk[] = 'keys' in parsed ? (parsed.keys as Jwk[]) : [parsed]
  return jwks.map((jwk) => ({
    key: createPrivateKey({ key: jwk, format: 'jwk' }),
    ...(typeof jwk.kid === 'string' ? { kid: jwk.kid } : {}),
    ...(typeof jwk.iat === 'number' ? { iat: jwk.iat } : {}),
  }))
}

function publicPemOf(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
}

interface Jwk {
  readonly kty: string
  readonly crv: string
  readonly x: string
  readonly d: string
  readonly kid?: unknown
  readonly iat?: unknown
  readonly [member: string]: unknown
}

async function toPublicJwk({ key, kid }: PrivateKey): Promise<PublicJwk> {
  const { kty, crv, x } = await exportJWK(key)
  const publicPart = { kty: kty!, crv: crv!, x: x! }
  return {
    ...publicPart,
    kid: kid ?? (await calculateJwkThumbprint(publicPart)),
    alg: ALGORITHM,
    use: 'sig',
  }
}
