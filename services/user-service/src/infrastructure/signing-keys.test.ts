import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, installAuthentication, RevocationList } from '@bigtech/service-kit'
import fastify from 'fastify'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, describe, expect, it } from 'vitest'
import { createTokens } from '../modules/session/tokens.ts'
import { readSigningKeys, type SigningKeys } from './signing-keys.ts'

const folder = mkdtempSync(join(tmpdir(), 'signing-keys-'))
afterAll(() => rmSync(folder, { recursive: true }))

const options = { issuer: 'issuer', audience: 'audience' }
const session = { userId: 7, username: 'mina', role: 'user' as const, sessionId: 's' }
const newKey = () => generateKeyPairSync('ed25519').privateKey
const pem = (key = newKey()) => key.export({ type: 'pkcs8', format: 'pem' }).toString()
const jwk = (kid?: string, iat?: number) => ({ ...newKey().export({ format: 'jwk' }), kid, iat })

async function tokensOf(keys: SigningKeys) {
  const app = fastify()
  const signing = { ...keys.signer, expiresInSeconds: 600 }
  const revocations = new RevocationList()
  await installAuthentication(app, { ...options, keys: keys.verifyKeys, signing, revocations })
  return createTokens(app.jwt, keys)
}

function file(content: string): string {
  const path = join(folder, crypto.randomUUID())
  writeFileSync(path, content)
  return path
}

describe('signing keys', () => {
  it.each([
    ['one PEM block', () => pem(), 1],
    ['several PEM blocks', () => pem() + pem(), 2],
    ['a JWK set', () => JSON.stringify({ keys: [jwk('a'), jwk('b')] }), 2],
    ['one JWK', () => JSON.stringify(jwk('a')), 1],
  ])('reads the signing keys from %s and publishes no private part', async (_case, content, count) => {
    const keys = await readSigningKeys(file(content()))
    expect(keys.publicKeys).toHaveLength(count)
    for (const key of keys.publicKeys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
    }
  })

  it('user-service signs with a new first key, and accepts tokens of the old key while it is in the file', async () => {
    const [old, next] = [newKey(), newKey()]
    const before = await readSigningKeys(file(pem(old)))
    const token = (await tokensOf(before)).access(session)
    const both = await readSigningKeys(file(pem(next) + pem(old)))
    expect((await jwtVerify(token, both.verifyKeys, options)).payload.sid).toBe(session.sessionId)
    const newer = (await tokensOf(both)).access(session)
    expect(decodeProtectedHeader(newer).kid).not.toBe(decodeProtectedHeader(token).kid)
    const after = await readSigningKeys(file(pem(next)))
    expect((await jwtVerify(newer, after.verifyKeys, options)).payload.sid).toBe(session.sessionId)
    await expect(jwtVerify(token, after.verifyKeys, options)).rejects.toThrow()
  })

  it('user-service takes the age of a signing key from `iat` or from the time of the file', async () => {
    const madeAt = new Date('2026-01-01T00:00:00Z')
    const named = await readSigningKeys(file(JSON.stringify({ keys: [jwk('a', madeAt.getTime() / 1_000)] })))
    expect(named.createdAt).toEqual(madeAt)
    const path = file(pem())
    utimesSync(path, madeAt, madeAt)
    expect((await readSigningKeys(path)).createdAt).toEqual(madeAt)
  })

  it.each([
    ['a missing file', () => join(folder, 'missing'), /cannot be read \(ENOENT\).*openssl genpkey/],
    ['an empty set', () => file('{"keys":[]}'), /contains no key/],
    ['rubbish', () => file('secret rubbish'), /must contain Ed25519/],
    [
      'a key of another type',
      () =>
        file(
          generateKeyPairSync('rsa', { modulusLength: 2048 })
            .privateKey.export({ type: 'pkcs8', format: 'pem' })
            .toString(),
        ),
      /must contain Ed25519/,
    ],
  ])('rejects signing keys from %s with an instruction for the operator', async (_case, path, message) => {
    const failure = await readSigningKeys(path()).catch((err: Error) => err)
    expect(failure).toBeInstanceOf(ConfigError)
    expect((failure as Error).message).toMatch(message)
    expect((failure as Error).message).not.toContain('secret')
  })
})
