import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheRoot, kafkaProgram } from '@bigtech/devstack'
import { freePort, makeCertificate, waitFor } from '@bigtech/testkit'

export interface SecuredKafka {
  readonly broker: string
  /** The certificate authority as PEM. */
  readonly ca: string
  stop(): Promise<void>
}

/** Name and password of an account with all permissions. */
export const administrator = 'operator'

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

/**
 * Starts a broker that requires TLS from clients and an account (SASL/PLAIN) on all listeners, and denies
 * everything not allowed by a rule. Each account's password is its name.
 */
export async function startSecuredKafka(accounts: readonly string[]): Promise<SecuredKafka> {
  const { java, classPath } = await kafkaProgram(cacheRoot())
  const folder = mkdtempSync(join(tmpdir(), 'bigtech-kafka-'))
  const certificate = makeCertificate(folder)
  const [port, controller] = [await freePort(), await freePort()]
  const users = [administrator, ...accounts].map((name) => `user_${name}="${name}"`).join(' ')
  const login = `org.apache.kafka.common.security.plain.PlainLoginModule required username="${administrator}" password="${administrator}" ${users};`
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `CLIENT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `CLIENT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'CLIENT:SASL_SSL,CONTROLLER:SASL_PLAINTEXT',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': certificate.keyStore,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': certificate.file,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'CLIENT',
    'sasl.enabled.mechanisms': 'PLAIN',
    'sasl.mechanism.inter.broker.protocol': 'PLAIN',
    'sasl.mechanism.controller.protocol': 'PLAIN',
    'listener.name.client.plain.sasl.jaas.config': login,
    'listener.name.controller.plain.sasl.jaas.config': login,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': `User:${administrator}`,
    'allow.everyone.if.no.acl.found': false,
    'log.dirs': join(folder, 'log'),
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'log.cleaner.dedupe.buffer.size': 4_194_304,
  }
  const config = join(folder, 'server.properties')
  writeFileSync(
    config,
    Object.entries(settings)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
    { mode: 0o600 },
  )
  const jvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classPath]
  const format = ['kafka.tools.StorageTool', 'format', '-t', 'YmlndGVjaC1jaGF0LWFjbA', '-c', config]
  const formatted = spawnSync(java.command, [...jvm, ...format], { env: java.env, encoding: 'utf8' })
  if (formatted.status !== 0) throw new Error(formatted.stdout + formatted.stderr)
  const child = spawn(java.command, [...jvm, 'kafka.Kafka', config], { env: java.env, stdio: 'ignore' })
  await waitFor(() => isOpen(port), { timeoutMs: 60_000, what: 'the broker to listen' })
  return {
    broker: `127.0.0.1:${port}`,
    ca: readFileSync(certificate.file, 'utf8'),
    stop: async () => {
      child.kill('SIGKILL')
      if (child.exitCode === null) await once(child, 'exit')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
