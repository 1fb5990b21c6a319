import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Instance } from './instance.ts'
import { writeSecret } from './secret.ts'

/** Returns the file with the Ed25519 signing key of access tokens (PKCS#8 PEM); created once. */
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

/** Returns the VAPID keys of notification-service (P-256, RFC 8292); created once. */
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

/** Returns the operator token for analytics-service and media-service; created once. */
export function operatorToken(instance: Instance): string {
  return randomText(instance, 'operator-token')
}

/** Returns the encryption key of authenticator secrets; created once. */
export function totpKey(instance: Instance): string {
  return randomText(instance, 'totp-key')
}

function randomText(instance: Instance, name: string): string {
  const file = join(instance.keyFolder, name)
  if (!existsSync(file)) writeSecret(file, randomBytes(24).toString('base64url'))
  return readFileSync(file, 'utf8')
}
