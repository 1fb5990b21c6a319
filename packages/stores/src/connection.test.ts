import { constants, generateKeyPairSync, privateDecrypt, randomInt } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { createConnection } from 'mariadb'
import { afterEach, expect, it } from 'vitest'
import { connectionOptions, prismaAdapter } from './connection.ts'
import { MySqlSession } from './mysql-session.ts'

const PLUGIN = 'caching_sha2_password'
const SEED = Buffer.from(Array.from({ length: 20 }, () => randomInt(1, 128)))
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })

const text = (value: string) => Buffer.from(`${value}\0`)
const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0])
/** LONG_PASSWORD, CONNECT_WITH_DB, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION; PLUGIN_AUTH. */
const CAPABILITIES = [0xa209, 0x0008] as const

function greeting(): Buffer {
  const head = Buffer.alloc(18)
  head.writeUInt16LE(CAPABILITIES[0], 0)
  head.writeUInt8(45, 2)
  head.writeUInt16LE(2, 3)
  head.writeUInt16LE(CAPABILITIES[1], 5)
  head.writeUInt8(SEED.length + 1, 7)
  return Buffer.concat([
    Buffer.from([10]),
    text('8.4.0'),
    Buffer.from([1, 0, 0, 0]),
    SEED.subarray(0, 8),
    Buffer.from([0]),
    head,
    SEED.subarray(8),
    Buffer.from([0]),
    text(PLUGIN),
  ])
}

function passwordOf(encrypted: Buffer): string {
  const mixed = privateDecrypt({ key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING }, encrypted)
  return Buffer.from(mixed.map((byte, index) => byte ^ SEED[index % SEED.length]!)).toString()
}

/** Performs the first sign-in of an account after a server start, as MySQL 8 does without TLS. */
function signIn(socket: Socket, accept: (password: string) => void): void {
  const steps = [
    () => Buffer.concat([Buffer.from([0xfe]), text(PLUGIN), SEED, Buffer.from([0])]),
    () => Buffer.from([1, 4]),
    () => Buffer.concat([Buffer.from([1]), Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }))]),
    (encrypted: Buffer) => {
      accept(passwordOf(encrypted))
      return OK
    },
  ]
  const send = (sequence: number, payload: Buffer) => {
    const header = Buffer.alloc(4)
    header.writeUIntLE(payload.length, 0, 3)
    header.writeUInt8(sequence, 3)
    socket.write(Buffer.concat([header, payload]))
  }
  socket.on('data', (packet) => send(packet[3]! + 1, (steps.shift() ?? (() => OK))(packet.subarray(4))))
  send(0, greeting())
}

let server: Server | undefined
afterEach(() => server?.close())

it.each([
  ['the connector', async (url: string) => (await createConnection(connectionOptions(url))).destroy()],
  ['the connector of Prisma', async (url: string) => (await prismaAdapter(url, 1).connect()).dispose()],
  [
    'the session of an outbox relay',
    async (url: string) => {
      const session = new MySqlSession(url)
      await session.query('SELECT 1').finally(() => session.close())
    },
  ],
])(
  'signs in to MySQL 8.4 with %s, without TLS and with an account unknown since the server start',
  async (_which, connect) => {
    const passwords: string[] = []
    server = createServer((socket) => signIn(socket, (password) => passwords.push(password)))
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    // The fake server implements only the sign-in: later commands may fail.
    await connect(`mysql://service:s3cret@127.0.0.1:${port}/db`).catch(() => undefined)
    expect(passwords).toContain('s3cret\0')
  },
)
