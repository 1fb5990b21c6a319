import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Instance } from './instance.ts'
import { writeSecret } from './secret.ts'

/** The file with the Ed25519 key that signs access tokens (PKCS#8 PEM); made once. */
export function signingKeyFile(instance: Instance): string {
  const file = join(instance.keyFolder, 'jwt-private.pem')
  if (existsSync(file)) return file
  const { privateKey } = generateKeyPairSync('ed25519')
  writeSecret(file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  return file
}

interface VapidKeys {
  publicKey: string
  privateKey: string
}

/** The keys with which the notification worker signs pushes (P-256, RFC 8292); made once. */
export function vapidKeys(instance: Instance): VapidKeys {
  const file = join(instance.keyFolder, 'vapid.json')
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as VapidKeys
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const jwk = privateKey.export({ format: 'jwk' })
  const point = [
    Buffer.from([4]),
    Buffer.from(jwk.x ?? '', 'base64url'),
    Buffer.from(jwk.y ?? '', 'base64url'),
  ]
  const keys = { publicKey: Buffer.concat(point).toString('base64url'), privateKey: jwk.d ?? '' }
  writeSecret(file, JSON.stringify(keys))
  return keys
}

/** Lets operators and tests read the figures of analytics-service and the jobs of media-service; made once. */
export function operatorToken(instance: Instance): string {
  return randomText(instance, 'operator-token')
}

/** The key that encrypts the secrets of authenticator apps; made once. */
export function totpKey(instance: Instance): string {
  return randomText(instance, 'totp-key')
}

function randomText(instance: Instance, name: string): string {
  const file = join(instance.keyFolder, name)
  if (!existsSync(file)) writeSecret(file, randomBytes(24).toString('base64url'))
  return readFileSync(file, 'utf8')
}
