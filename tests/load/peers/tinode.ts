import { randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureArtefact, findProgram, run } from '@bigtech/devstack'
import { createTestMysql, freePort, testServers } from '@bigtech/testkit'
import { type Peer, peersFolder, startProgram } from './peer.ts'

const VERSION = 'v0.22.13'
const CLIENTS = 20
/** Belongs to the salt below; both are those of the sample configuration. */
const API_KEY = 'AQEAAAABAAD_rAp4DJh05a1HAwFT3A6K'
const API_KEY_SALT = 'T713/rYYgW7g4m3vG6zGRh7+FM1t0T8j13koXScOAj4='

interface Reply {
  readonly code: number
  readonly text?: string
  readonly topic?: string
}

/** Builds Tinode (a chat server in Go), and starts it on a database of its own, with a group of 20 users. */
export async function startTinode(content: string): Promise<Peer> {
  const programs = await build()
  const [mysql, port] = await Promise.all([createTestMysql(), freePort()])
  // The program creates it, with its tables.
  await mysql.query(`DROP DATABASE ${mysql.database}`)
  const server = await startProgram(port, (folder) => {
    const config = join(folder, 'tinode.json')
    writeFileSync(config, JSON.stringify(configuration(mysql.database, port)))
    const setUp = `"${join(programs, 'tinode-db')}" -config "${config}" && exec "${join(programs, 'server')}" -config "${config}" -static_data=-`
    return { command: 'sh', args: ['-c', setUp] }
  })
  const clients: Client[] = []
  const stop = async () => {
    for (const client of clients) client.close()
    await server.stop()
    await mysql.drop()
  }
  try {
    for (let n = 0; n < CLIENTS; n++) clients.push(await signUp(port, n))
    const topic = await createGroup(clients)
    return {
      name: 'Tinode',
      pid: server.pid,
      send: async (n) => {
        await clients[n % CLIENTS]!.call({ pub: { topic, noecho: true, content } })
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Builds in a copy of the module's directory, because its packages are not meant to be installed one by one. */
function build(): Promise<string> {
  return ensureArtefact(peersFolder, {
    name: `tinode-${VERSION}-${process.arch}`,
    title: `Tinode ${VERSION}: Go build, one to three minutes the first time`,
    fill: async (part, say) => {
      const go = findProgram('go')
      if (!go) throw new Error('Go is missing: install it to build Tinode.')
      const { Dir: module } = JSON.parse(
        await run(go, ['mod', 'download', '-json', `github.com/tinode/chat@${VERSION}`], { cwd: part }),
      ) as { Dir: string }
      const source = join(part, 'source')
      await run('cp', ['-r', module, source])
      await run('chmod', ['-R', 'u+w', source])
      const build = ['build', '-tags', 'mysql', '-o', `${part}/`, './server', './tinode-db']
      await run(go, build, { cwd: source, onLine: (line) => say(line) })
      rmSync(source, { recursive: true })
    },
  })
}

/** As the sample configuration, without validation of addresses, compression, media and push. */
function configuration(database: string, port: number) {
  const { host, port: mysqlPort, user, password } = testServers().mysql
  return {
    listen: `127.0.0.1:${port}`,
    api_path: '/',
    grpc_listen: '',
    push: [],
    ws_compression_disabled: true,
    api_key_salt: API_KEY_SALT,
    max_message_size: 262_144,
    max_subscriber_count: 128,
    max_tag_count: 16,
    auth_config: {
      basic: { add_to_tags: true, min_login_length: 4, min_password_length: 6 },
      token: { expire_in: 1_209_600, serial_num: 1, key: 'wfaY2RgF2S1OQI/ZlK+LSrp1KB2jwAdGAIHQ7JZn+Kc=' },
    },
    store_config: {
      uid_key: 'la6YsO+bNX/+XIkOqc5Svw==',
      max_results: 1_024,
      use_adapter: 'mysql',
      adapters: {
        mysql: {
          User: user,
          Passwd: password,
          Net: 'tcp',
          Addr: `${host}:${mysqlPort}`,
          DBName: database,
          Collation: 'utf8mb4_unicode_ci',
          ParseTime: true,
          max_open_conns: 64,
          max_idle_conns: 64,
          conn_max_lifetime: 60,
          sql_timeout: 10,
        },
      },
    },
  }
}

async function signUp(port: number, n: number): Promise<Client> {
  const client = await Client.open(port)
  const secret = Buffer.from(`u${randomUUID().slice(0, 8)}:secret123`).toString('base64')
  await client.call({
    acc: { user: 'new', scheme: 'basic', secret, login: true, desc: { public: { fn: `u${n}` } } },
  })
  return client
}

async function createGroup([owner, ...members]: Client[]): Promise<string> {
  const desc = { public: { fn: 'room' }, defacs: { auth: 'JRWPS' } }
  const { topic } = await owner!.call({ sub: { topic: 'new', set: { desc } } })
  for (const member of members) await member.call({ sub: { topic } })
  return topic!
}

/** A connection with Tinode's protocol: JSON over WebSocket, a reply for each message with an id. */
class Client {
  readonly #socket: WebSocket
  readonly #waiting = new Map<string, (reply: Reply) => void>()
  #lastId = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#receive(String(data)))
  }

  static async open(port: number): Promise<Client> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v0/channels?apikey=${API_KEY}`)
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', () => reject(new Error('Tinode refused the WebSocket.')))
    })
    const client = new Client(socket)
    await client.call({ hi: { ver: '0.22', ua: 'load' } })
    return client
  }

  async call(message: Record<string, object>): Promise<Reply> {
    const id = String(++this.#lastId)
    const [kind, body] = Object.entries(message)[0]!
    const reply = await new Promise<Reply>((resolve) => {
      this.#waiting.set(id, resolve)
      this.#socket.send(JSON.stringify({ [kind]: { id, ...body } }))
    })
    if (reply.code >= 300) throw new Error(`Tinode: ${kind}: ${reply.code} ${reply.text}`)
    return reply
  }

  close(): void {
    this.#socket.close()
  }

  #receive(data: string): void {
    for (const line of data.split('\n').filter((text) => text !== '')) {
      const { ctrl } = JSON.parse(line) as { ctrl?: Reply & { id?: string } }
      const resolve = ctrl?.id ? this.#waiting.get(ctrl.id) : undefined
      if (!ctrl?.id || !resolve) continue
      this.#waiting.delete(ctrl.id)
      resolve(ctrl)
    }
  }
}
