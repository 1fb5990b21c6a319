import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'

/**
 * A refresh token is opaque to clients: the session's id (16 bytes), 256 random bits, and a tag (16 bytes)
 * under the session's own key. Only its SHA-256 is stored. The tag proves that a token no longer stored was
 * once issued, so that reuse of any old token is detected without keeping all tokens, and nobody can end a
 * session with a forged token.
 */
const SECRET_BYTES = 32
const TAG_BYTES = 16
const TOKEN_BYTES = 16 + SECRET_BYTES + TAG_BYTES
const ENCODED_LENGTH = Math.ceil((TOKEN_BYTES * 4) / 3)

const IV_BYTES = 12
const SEAL_TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'

export interface RefreshToken {
  readonly text: string
  readonly sessionId: string
}

/** Returns the key of a new session's tokens. */
export function newFamilyKey(): Uint8Array<ArrayBuffer> {
  return own(randomBytes(32))
}

export function issueRefreshToken(sessionId: string, familyKey: Uint8Array): RefreshToken {
  const body = Buffer.concat([Buffer.from(sessionId.replaceAll('-', ''), 'hex'), randomBytes(SECRET_BYTES)])
  return { text: Buffer.concat([body, tagOf(body, familyKey)]).toString('base64url'), sessionId }
}

/** Parses the session out of a token, unverified. */
export function readRefreshToken(text: string): RefreshToken | undefined {
  if (text.length !== ENCODED_LENGTH || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined
  const hex = Buffer.from(text, 'base64url').subarray(0, 16).toString('hex')
  const sessionId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return { text, sessionId }
}

/** Returns whether this token was ever issued for the session with this key. */
export function isGenuine(token: RefreshToken, familyKey: Uint8Array): boolean {
  const bytes = Buffer.from(token.text, 'base64url')
  const body = bytes.subarray(0, -TAG_BYTES)
  return timingSafeEqual(bytes.subarray(-TAG_BYTES), tagOf(body, familyKey))
}

export function hashRefreshToken(token: RefreshToken): Uint8Array<ArrayBuffer> {
  return own(createHash('sha256').update(token.text).digest())
}

export function sameHash(a: Uint8Array, b: Uint8Array | null): boolean {
  return b !== null && a.length === b.length && timingSafeEqual(a, b)
}

/** Encrypts the successor so that only the holder of the previous token can decrypt it, not even the server. */
export function sealSuccessor(successor: RefreshToken, previous: RefreshToken): Uint8Array<ArrayBuffer> {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(CIPHER, sealKey(previous), iv)
  const sealed = Buffer.concat([cipher.update(successor.text, 'ascii'), cipher.final()])
  return own(Buffer.concat([iv, cipher.getAuthTag(), sealed]))
}

/** Decrypts a successor. @throws Error when the box was not sealed with this token */
export function openSuccessor(box: Uint8Array, previous: RefreshToken): RefreshToken {
  const iv = box.subarray(0, IV_BYTES)
  const decipher = createDecipheriv(CIPHER, sealKey(previous), iv)
  decipher.setAuthTag(box.subarray(IV_BYTES, IV_BYTES + SEAL_TAG_BYTES))
  const sealed = box.subarray(IV_BYTES + SEAL_TAG_BYTES)
  const text = Buffer.concat([decipher.update(sealed), decipher.final()]).toString('ascii')
  return { text, sessionId: previous.sessionId }
}

function sealKey(previous: RefreshToken): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', previous.text, '', 'refresh token successor', 32))
}

function tagOf(body: Uint8Array, familyKey: Uint8Array): Buffer {
  return createHmac('sha256', familyKey).update(body).digest().subarray(0, TAG_BYTES)
}

/** Returns a copy with its own memory: small Buffers share a pool, which the database client does not accept. */
function own(buffer: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer)
}
