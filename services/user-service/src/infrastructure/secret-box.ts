import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/** Encrypts small secrets that must be readable again, such as authenticator secrets. */
export interface SecretBox {
  /** Encrypts a secret. @param context owner of the secret: a value moved to another row cannot be opened */
  seal(secret: string, context: string): Uint8Array<ArrayBuffer>
  /** Decrypts a secret. @throws Error when no key opens it */
  open(sealed: Uint8Array, context: string): string
}

const CIPHER = 'aes-256-gcm'
const KEY_ID_BYTES = 4
const IV_BYTES = 12
const TAG_BYTES = 16

/**
 * Creates an AES-256-GCM box. The first key seals and all keys open, so that a key can be rotated at run
 * time.
 * @param keys texts of at least 16 characters
 */
export function createSecretBox(keys: readonly string[]): SecretBox {
  const derived = keys.map((text) => {
    const key = createHash('sha256').update(text).digest()
    return { key, id: createHash('sha256').update(key).digest().subarray(0, KEY_ID_BYTES) }
  })
  const [first] = derived
  if (!first) throw new Error('no key to seal with')
  return {
    seal: (secret, context) => {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv(CIPHER, first.key, iv).setAAD(Buffer.from(context))
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      return new Uint8Array(Buffer.concat([first.id, iv, cipher.getAuthTag(), text]))
    },
    open: (sealed, context) => {
      const bytes = Buffer.from(sealed)
      const known = derived.find(({ id }) => id.equals(bytes.subarray(0, KEY_ID_BYTES)))
      if (!known) throw new Error('sealed with a key that is not configured')
      const ivEnd = KEY_ID_BYTES + IV_BYTES
      const tagEnd = ivEnd + TAG_BYTES
      const decipher = createDecipheriv(CIPHER, known.key, bytes.subarray(KEY_ID_BYTES, ivEnd), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(ivEnd, tagEnd))
      return Buffer.concat([decipher.update(bytes.subarray(tagEnd)), decipher.final()]).toString('utf8')
    },
  }
}
