import { fileURLToPath } from 'node:url'
import { type EventDefinition, type MessageFile, messageExample, type StoredFile } from '@bigtech/contracts'
import { createKafka, createPublisher } from '@bigtech/kafka'
import { createLogger, loadConfig, type Service } from '@bigtech/service-kit'
import {
  collectEvents,
  createTestIssuer,
  createTestKafka,
  createTestMysql,
  type ServiceProcess,
  startHttpServer,
  startServiceProcess,
  type TestIssuer,
  type TestMysql,
  testObjectStore,
  uniqueName,
  waitFor,
} from '@bigtech/testkit'
import { buildMediaService, type MediaService } from '../src/app.ts'
import { configSchema } from '../src/config.ts'
import { buildMediaWorker } from '../src/worker-app.ts'

export const serviceFolder = fileURLToPath(new URL('..', import.meta.url))
const migrationsDir = `${serviceFolder}/migrations`

interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it freely
  readonly body: any
}

/** A file to send: `filename` and type as a client says them. */
interface Sent {
  readonly name: string
  readonly mime: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly purpose?: string
}

export interface Harness {
  readonly web: MediaService
  readonly worker: Service
  readonly url: string
  readonly mysql: TestMysql
  /** The variables that a process of this harness is started with. */
  readonly env: Readonly<Record<string, string>>
  /** Starts another web side or worker on the same stores, in a process of its own. */
  another(side: 'web' | 'worker', env?: Readonly<Record<string, string>>): Promise<ServiceProcess>
  token(userId: number): Promise<string>
  call(userId: number | null, method: string, path: string, body?: unknown): Promise<Answer>
  upload(userId: number, file: Sent): Promise<Answer>
  /** Uploads a file and waits until it was examined. */
  examined(userId: number, file: Sent): Promise<StoredFile>
  /** Makes chat-service say that these users see that message, with that file. */
  show(messageId: string, fileId: string, viewers: readonly number[]): void
  publish<Payload extends object>(
    definition: EventDefinition<string, Payload>,
    payload: Payload,
  ): Promise<void>
  /** Waits for an event of this service. */
  eventOf<Payload extends object>(
    definition: EventDefinition<string, Payload>,
    matches: (payload: Payload) => boolean,
  ): Promise<void>
  /** What is left of a file in the object store. */
  objectsOf(fileId: string): Promise<string[]>
  stop(): Promise<void>
}

/** Shared by media-service and the analysis server of a test. */
export const TEST_ANALYSIS_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

let lastId = 1_000
/** A user or room that no other test uses. */
export const newId = () => ++lastId

/** Web side and worker on stores of their own, with a chat-service that the test controls. */
export async function startHarness(overrides: Record<string, string> = {}): Promise<Harness> {
  const issuer = await createTestIssuer()
  const [mysql, kafka, chat] = await Promise.all([
    createTestMysql({ migrationsDir }),
    createTestKafka(),
    startNeighbors(issuer.jwks),
  ])
  const s3 = testObjectStore()
  const env = {
    NODE_ENV: 'test',
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
    PORT: '0',
    DATABASE_URL: mysql.url,
    KAFKA_BROKERS: kafka.brokers.join(','),
    KAFKA_TOPIC_PREFIX: kafka.topicPrefix,
    S3_URL: s3.url,
    S3_ACCESS_KEY: s3.accessKey,
    S3_SECRET_KEY: s3.secretKey,
    S3_BUCKET: uniqueName('t-'),
    CHAT_SERVICE_URL: chat.url,
    JWKS_URL: `${chat.url}/jwks`,
    JOB_POLL_MS: '50',
    JOB_HEARTBEAT_MS: '300',
    SWEEP_MS: '200',
    ANALYSIS_SECRETS: TEST_ANALYSIS_SECRET,
    ...overrides,
  }
  const config = loadConfig(configSchema, env)
  const web = await buildMediaService(config, { keys: issuer.keys })
  const worker = await buildMediaWorker(config, { keys: issuer.keys })
  const url = await web.start()
  await worker.start()
  // The service is ready without the object store; a test is not.
  const isUp = async () => {
    const response = await fetch(`${url}/ready`)
    const { checks } = (await response.json()) as { checks?: Record<string, string> }
    return response.status === 200 && checks?.s3 === 'up'
  }
  await waitFor(isUp, { what: 'media-service and its bucket' })
  const neighbour = createKafka({
    clientId: 'neighbour',
    brokers: kafka.brokers,
    topicPrefix: kafka.topicPrefix,
    log: createLogger({ service: 'neighbour', level: 'silent' }),
  })
  const publisher = createPublisher({ kafka: neighbour })
  const client = clientOf(url, (userId) => issuer.token({ userId }), chat.grant)
  return {
    ...client,
    web,
    worker,
    url,
    mysql,
    env,
    another: (side, more = {}) =>
      startServiceProcess({
        folder: serviceFolder,
        entry: `src/${side}.ts`,
        env: { ...env, LOG_LEVEL: 'info', ...more },
      }),
    show: chat.show,
    publish: (definition, payload) => publisher.publishEvent(definition, payload, { correlationId: 'test' }),
    eventOf: async (definition, matches) => {
      const topics = [definition.topic]
      const collector = await collectEvents({
        brokers: kafka.brokers,
        topicPrefix: kafka.topicPrefix,
        topics,
      })
      await collector.waitFor(definition as EventDefinition, (event) => matches(event as never))
      await collector.stop()
    },
    objectsOf: (fileId) => web.stores.objects.list(`${fileId}/`),
    stop: async () => {
      await Promise.all([web.stop(), worker.stop()])
      await publisher.stop()
      await neighbour.close()
      await Promise.all([mysql.drop(), kafka.remove(), chat.close()])
    },
  }
}

function clientOf(
  url: string,
  sign: (userId: number) => Promise<string>,
  grant: (token: string, userId: number) => void,
) {
  const token = async (userId: number) => {
    const signed = await sign(userId)
    grant(signed, userId)
    return signed
  }
  const send = async (userId: number | null, path: string, init: RequestInit): Promise<Answer> => {
    const authorization = userId === null ? {} : { authorization: `Bearer ${await token(userId)}` }
    const response = await fetch(url + path, {
      redirect: 'manual',
      ...init,
      headers: { ...authorization, ...(init.headers as Record<string, string>) },
    })
    const isJson = response.headers.get('content-type')?.includes('json')
    const body = isJson ? await response.json() : Buffer.from(await response.arrayBuffer())
    return { status: response.status, headers: response.headers, body }
  }
  const call: Harness['call'] = (userId, method, path, body) =>
    send(userId, path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
  const upload: Harness['upload'] = (userId, { name, mime, bytes, purpose }) => {
    const form = new FormData()
    if (purpose !== undefined) form.set('purpose', purpose)
    form.set('file', new Blob([bytes], { type: mime }), name)
    return send(userId, '/files', { method: 'POST', body: form })
  }
  const examined: Harness['examined'] = async (userId, file) => {
    const { status, body } = await upload(userId, file)
    if (status !== 201) throw new Error(`not uploaded: ${status} ${JSON.stringify(body)}`)
    const { body: seen } = await call(userId, 'GET', `/files/${body.file_id}?wait_seconds=25`)
    return seen as StoredFile
  }
  return { token, call, upload, examined }
}

/** Starts a fake chat-service, which decides who sees a message, and user-service's key set. */
async function startNeighbors(jwks: TestIssuer['jwks']) {
  const messages = new Map<string, { fileId: string; viewers: readonly number[] }>()
  const users = new Map<string, number>()
  const server = await startHttpServer((request, response) => {
    if (request.url === '/jwks') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(jwks))
      return
    }
    const messageId = decodeURIComponent(request.url?.split('/').at(-1) ?? '')
    const known = messages.get(messageId)
    const viewer = users.get(request.headers.authorization?.slice('Bearer '.length) ?? '')
    const isSeen = known !== undefined && viewer !== undefined && known.viewers.includes(viewer)
    response.writeHead(isSeen ? 200 : 403, { 'content-type': 'application/json' })
    const file = { file_id: known?.fileId, kind: 'document', name: 'x', mime: 'x/x', size: 1 } as MessageFile
    const nothing = {
      width: null,
      height: null,
      duration_ms: null,
      pages: null,
      preview: null,
      waveform: null,
    }
    const shown = { ...messageExample, message_id: messageId, file: { ...file, ...nothing, variants: [] } }
    response.end(JSON.stringify(isSeen ? shown : { code: 'NOT_A_MEMBER' }))
  })
  return {
    url: server.url,
    grant: (token: string, userId: number) => void users.set(token, userId),
    show: (messageId: string, fileId: string, viewers: readonly number[]) =>
      void messages.set(messageId, { fileId, viewers }),
    close: () => server.close(),
  }
}
