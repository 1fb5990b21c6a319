import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureArtefact } from '../fetch/artefact.ts'
import type { Java } from '../fetch/maven.ts'
import { giveToServers, serverFolder } from '../instance.ts'
import { isListening } from '../readiness.ts'
import { run } from '../run.ts'
import { fetchKafkaJars, kafkaVersion, requireJava } from './kafka-dist.ts'
import { type Server, type ServerContext, serverDefaults } from './server.ts'

const CLUSTER_ID = 'YmlndGVjaC1jaGF0LWRldg'

/** Returns the properties of a single node that is broker and controller, so every internal topic has one replica. */
function properties(context: ServerContext, log: string): string {
  const { kafka, kafkaController } = context.instance.ports
  const settings: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${kafkaController}`,
    listeners: `PLAINTEXT://127.0.0.1:${kafka},CONTROLLER://127.0.0.1:${kafkaController}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${kafka}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': log,
    'auto.create.topics.enable': false,
    'default.replication.factor': 1,
    'min.insync.replicas': 1,
    'unclean.leader.election.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 3,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'log.retention.hours': 168,
    'log.cleaner.dedupe.buffer.size': 4_194_304,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
  }
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

const logging = `status = error
name = kafka
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{HH:mm:ss.SSS} %-5p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
`

const smallJvm = [
  '-Xms64m',
  '-Xmx256m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:MaxMetaspaceSize=160m',
  '-Xss512k',
  '-XX:-UsePerfData',
  '-Djava.awt.headless=true',
]

/**
 * Uses a class archive, which halves Kafka's startup time. A first Kafka writes it on a clean exit into the
 * data directory, the only one it may write, and we move it to the cache; a JVM ignores an archive of
 * another version.
 */
function classArchive(cache: string, folder: string, java: Java) {
  const kept = join(cache, 'dist', `kafka-${kafkaVersion}-java${java.version}.jsa`)
  const fresh = join(folder, 'classes.jsa')
  if (existsSync(kept))
    return { args: ['-Xshare:auto', `-XX:SharedArchiveFile=${kept}`], afterStop: undefined }
  rmSync(fresh, { force: true })
  const afterStop = async () => {
    if (!existsSync(fresh) || existsSync(kept)) return
    writeFileSync(`${kept}.part`, readFileSync(fresh))
    renameSync(`${kept}.part`, kept)
    rmSync(fresh, { force: true })
  }
  return { args: [`-XX:ArchiveClassesAtExit=${fresh}`, '-Xlog:cds=off', '-Xlog:cds+dynamic=off'], afterStop }
}

async function format(
  context: ServerContext,
  java: Java,
  jvm: readonly string[],
  config: string,
  log: string,
) {
  if (existsSync(join(log, 'meta.properties'))) return
  const args = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', config]
  await run(java.command, [...jvm, ...args], { env: java.env, account: context.instance.account, cwd: '/' })
}

/** Fetches Java and Kafka if missing. */
export async function kafkaProgram(cacheFolder: string): Promise<{ java: Java; classPath: string }> {
  const java = await requireJava(cacheFolder)
  const libs = await ensureArtefact(cacheFolder, {
    name: `kafka-${kafkaVersion}`,
    title: `Kafka ${kafkaVersion}: 35 jars, 38 MB`,
    fill: (part, say) => fetchKafkaJars(part, java, say),
  })
  const jars = readdirSync(libs)
    .filter((name) => name.endsWith('.jar'))
    .sort()
  return { java, classPath: jars.map((name) => join(libs, name)).join(':') }
}

export const kafka: Server = {
  title: 'Kafka',
  async prepare(context) {
    const { instance } = context
    const { java, classPath } = await kafkaProgram(instance.cacheFolder)
    const folder = serverFolder(instance, 'kafka')
    const log = join(folder, 'log')
    mkdirSync(log, { recursive: true, mode: 0o700 })
    const files = { config: join(folder, 'server.properties'), logging: join(folder, 'log4j2.properties') }
    writeFileSync(files.config, properties(context, log))
    writeFileSync(files.logging, logging)
    for (const path of [log, files.config, files.logging]) giveToServers(instance, path)
    const jvm = [...smallJvm, `-Dlog4j2.configurationFile=${files.logging}`, '-cp', classPath]
    const archive = classArchive(instance.cacheFolder, folder, java)
    await format(context, java, archive.afterStop ? jvm : [...archive.args, ...jvm], files.config, log)
    const port = instance.ports.kafka
    return [
      {
        ...serverDefaults(context),
        name: 'kafka',
        command: java.command,
        env: java.env,
        cwd: folder,
        args: [...archive.args, ...jvm, 'kafka.Kafka', files.config],
        port,
        isReady: () => isListening(port),
        stopWithinMs: 40_000,
        afterStop: archive.afterStop,
      },
    ]
  },
}
