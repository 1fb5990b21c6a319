import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'

/** The parts of an authenticator's response that a test may falsify. */
interface Deviations {
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  readonly userVerified?: boolean
  readonly counter?: number
}

const USER_PRESENT = 0x01
const USER_VERIFIED = 0x04
const ATTESTED = 0x40

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest()
const text = (value: string) => Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
const bytes = (value: Buffer) => Buffer.concat([head(2, value.length), value])
const integer = (value: number) => (value < 0 ? head(1, -1 - value) : head(0, value))

/** Returns the head of a CBOR item (RFC 8949, 3): major type and argument. */
function head(major: number, argument: number): Buffer {
  if (argument < 24) return Buffer.from([(major << 5) | argument])
  if (argument < 256) return Buffer.from([(major << 5) | 24, argument])
  return Buffer.from([(major << 5) | 25, argument >> 8, argument & 255])
}

function map(entries: readonly (readonly [Buffer, Buffer])[]): Buffer {
  return Buffer.concat([head(5, entries.length), ...entries.flat()])
}

/** An authenticator for tests: one ES256 passkey, with responses in the JSON form of WebAuthn. */
export class SoftwareAuthenticator {
  readonly #origin: string
  readonly #privateKey: KeyObject
  readonly #publicKey: Buffer
  readonly #id = randomBytes(32)
  #userHandle = ''
  #counter = 0

  constructor(origin: string) {
    this.#origin = origin
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    this.#privateKey = privateKey
    // A COSE_Key (RFC 9053): kty EC2, alg ES256, crv P-256.
    this.#publicKey = map([
      [integer(1), integer(2)],
      [integer(3), integer(-7)],
      [integer(-1), integer(1)],
      [integer(-2), bytes(Buffer.from(x, 'base64url'))],
      [integer(-3), bytes(Buffer.from(y, 'base64url'))],
    ])
  }

  /** Implements `navigator.credentials.create`. */
  // biome-ignore lint/suspicious/noExplicitAny: the options come from the service
  create(options: any, deviations: Deviations = {}) {
    this.#userHandle = options.user.id
    const { length } = this.#id
    const credential = Buffer.concat([
      Buffer.alloc(16),
      Buffer.from([length >> 8, length & 255]),
      this.#id,
      this.#publicKey,
    ])
    const data = this.#authenticatorData(options.rp.id, ATTESTED, deviations)
    const attestation = map([
      [text('fmt'), text('none')],
      [text('attStmt'), map([])],
      [text('authData'), bytes(Buffer.concat([data, credential]))],
    ])
    return this.#answer({
      clientDataJSON: this.#clientData('webauthn.create', options, deviations).toString('base64url'),
      attestationObject: attestation.toString('base64url'),
      transports: ['internal'],
    })
  }

  /** Implements `navigator.credentials.get`. */
  // biome-ignore lint/suspicious/noExplicitAny: the options come from the service
  get(options: any, deviations: Deviations = {}) {
    const clientData = this.#clientData('webauthn.get', options, deviations)
    const data = this.#authenticatorData(options.rpId, 0, deviations)
    const signature = createSign('sha256')
      .update(Buffer.concat([data, sha256(clientData)]))
      .sign(this.#privateKey)
    return this.#answer({
      clientDataJSON: clientData.toString('base64url'),
      authenticatorData: data.toString('base64url'),
      signature: signature.toString('base64url'),
      userHandle: this.#userHandle,
    })
  }

  #answer(response: Record<string, unknown>) {
    const id = this.#id.toString('base64url')
    return { id, rawId: id, type: 'public-key', response }
  }

  #clientData(type: string, { challenge }: { challenge: string }, deviations: Deviations): Buffer {
    const { origin = this.#origin, challenge: other } = deviations
    return Buffer.from(JSON.stringify({ type, challenge: other ?? challenge, origin, crossOrigin: false }))
  }

  #authenticatorData(rpId: string, flags: number, deviations: Deviations): Buffer {
    const verified = deviations.userVerified === false ? 0 : USER_VERIFIED
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(deviations.counter ?? ++this.#counter)
    return Buffer.concat([
      sha256(deviations.rpId ?? rpId),
      Buffer.from([flags | verified | USER_PRESENT]),
      counter,
    ])
  }
}
