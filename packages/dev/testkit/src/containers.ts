import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers'
import { parse } from 'yaml'
import { freePort } from './free-port.ts'
import type { TestServers } from './servers.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..')
/** MySQL prepares its data directory on the first start. */
const START_MS = 180_000
const COMPOSE_FILE = 'docker-compose.msa.yml'

export interface TestContainers {
  readonly servers: TestServers
  stop(): Promise<void>
}

/** Returns whether a Docker engine responds. */
export async function hasDocker(): Promise<boolean> {
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  )
}

/**
 * Starts one container of every server used by integration tests, from the images of the Compose file, with
 * data in memory. @throws the error of the first container that does not start; stops the others.
 */
export async function startContainers(): Promise<TestContainers> {
  const images = readImages()
  const started: StartedTestContainer[] = []
  const start = async (container: GenericContainer) => {
    const running = await container.withStartupTimeout(START_MS).start()
    started.push(running)
    return running
  }
  const stop = async () => void (await Promise.all(started.map((container) => container.stop())))
  const starting = [
    startMysql(images.mysql, start),
    startRedis(images.redis, start),
    startMongo(images.mongodb, start),
    startKafka(images['kafka-1'], start),
    startObjectStore(images['object-store'], start),
  ] as const
  try {
    const [mysql, redis, mongo, kafka, s3] = await Promise.all(starting)
    return { servers: { mysql, redis, mongo, kafka, s3 }, stop }
  } catch (err) {
    // Containers that are still starting can only be stopped afterwards.
    await Promise.allSettled(starting)
    await stop()
    throw err
  }
}

type Start = (container: GenericContainer) => Promise<StartedTestContainer>

/** Returns the images of production, so that there is one list of versions. */
function readImages() {
  const { services } = parse(readFileSync(join(root, COMPOSE_FILE), 'utf8'), {
    merge: true,
    maxAliasCount: -1,
  }) as {
    services: Record<string, { image?: string }>
  }
  const imageOf = (name: string) => {
    const image = services[name]?.image
    if (!image) throw new Error(`${COMPOSE_FILE} has no image of ${name}.`)
    return image
  }
  const names = ['mysql', 'redis', 'mongodb', 'kafka-1', 'object-store'] as const
  return Object.fromEntries(names.map((name) => [name, imageOf(name)])) as Record<
    (typeof names)[number],
    string
  >
}

async function startMysql(image: string, start: Start): Promise<TestServers['mysql']> {
  const password = randomBytes(12).toString('hex')
  const options = [
    '--character-set-server=utf8mb4',
    '--collation-server=utf8mb4_unicode_ci',
    '--max-connections=400',
    '--skip-name-resolve',
  ]
  const container = new GenericContainer(image)
    .withEnvironment({ MYSQL_ROOT_PASSWORD: password, MYSQL_ROOT_HOST: '%', TZ: 'UTC' })
    .withCommand(options)
    .withTmpFs({ '/var/lib/mysql': 'rw' })
    .withExposedPorts(3306)
    // By TCP, because the server that prepares the data directory listens on a socket only.
    .withHealthCheck({
      test: [
        'CMD-SHELL',
        'MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysqladmin --protocol=tcp --host=127.0.0.1 -uroot ping',
      ],
      interval: 500,
      timeout: 5_000,
      retries: 300,
    })
    .withWaitStrategy(Wait.forAll([Wait.forHealthCheck(), Wait.forListeningPorts()]))
  const running = await start(container)
  return { host: running.getHost(), port: running.getMappedPort(3306), user: 'root', password }
}

async function startRedis(image: string, start: Start): Promise<TestServers['redis']> {
  const container = new GenericContainer(image)
    .withCommand(['redis-server', '--maxmemory-policy', 'noeviction', '--protected-mode', 'no'])
    .withExposedPorts(6379)
  const running = await start(container)
  return { host: running.getHost(), port: running.getMappedPort(6379) }
}

async function startMongo(image: string, start: Start): Promise<TestServers['mongo']> {
  const container = new GenericContainer(image).withTmpFs({ '/data/db': 'rw' }).withExposedPorts(27017)
  const running = await start(container)
  return { url: `mongodb://${running.getHost()}:${running.getMappedPort(27017)}` }
}

/** Starts Kafka on a port chosen in advance, because the broker announces its own address to clients. */
async function startKafka(image: string, start: Start): Promise<TestServers['kafka']> {
  const port = await freePort()
  const { host } = (await getContainerRuntimeClient()).info.containerRuntime
  const container = new GenericContainer(image)
    .withEnvironment({
      CLUSTER_ID: 'YmlndGVjaC10ZXN0cy1hYQ',
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://${host}:${port}`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_HEAP_OPTS: '-Xms256m -Xmx512m',
    })
    .withExposedPorts({ container: 9092, host: port })
  await start(container)
  return { brokers: [`${host}:${port}`] }
}

async function startObjectStore(image: string, start: Start): Promise<NonNullable<TestServers['s3']>> {
  const secretKey = randomBytes(12).toString('hex')
  const container = new GenericContainer(image)
    .withEnvironment({ ROOT_ACCESS_KEY_ID: 'bigtech', ROOT_SECRET_ACCESS_KEY: secretKey })
    .withCommand([
      '--port',
      ':7070',
      '--health',
      '/health',
      '--quiet',
      'posix',
      '--sidecar',
      '/metadata',
      '/objects',
    ])
    .withTmpFs({ '/objects': 'rw', '/metadata': 'rw' })
    .withExposedPorts(7070)
    .withWaitStrategy(Wait.forHttp('/health', 7070))
  const running = await start(container)
  return {
    url: `http://${running.getHost()}:${running.getMappedPort(7070)}`,
    accessKey: 'bigtech',
    secretKey,
  }
}
