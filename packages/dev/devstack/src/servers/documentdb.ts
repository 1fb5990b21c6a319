import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { giveToServers, serverFolder, socketFolder } from '../instance.ts'
import { step } from '../progress.ts'
import { isListening } from '../readiness.ts'
import { run } from '../run.ts'
import { type DocumentDbDist, fetchDocumentDb } from './documentdb-dist.ts'
import { SERVER_ORDER, type Server, type ServerContext, serverDefaults } from './server.ts'

/** Required settings, passed on the command line so that a moved checkout still starts. */
function settings(sockets: string): Record<string, string> {
  return {
    listen_addresses: '',
    unix_socket_directories: sockets,
    max_connections: '200',
    shared_preload_libraries: 'pg_cron,pg_documentdb_core,pg_documentdb,pg_documentdb_extended_rum',
    'cron.database_name': 'postgres',
    'cron.host': sockets,
    'cron.log_run': 'off',
    'cron.log_statement': 'off',
    // It connects to itself through libpq to create collections.
    'documentdb.localhost_connection_string': `host=${sockets}`,
    // Otherwise sort + limit never uses an index and reads the whole room.
    'documentdb.alternate_index_handler_name': 'extended_rum',
    // Otherwise every open sorted cursor keeps a connection.
    'documentdb.useFileBasedPersistedCursors': 'on',
    'documentdb_core.enableCollation': 'on',
    // Racing inserts on one unique key deadlock: detect it quickly.
    deadlock_timeout: '10ms',
    // The planner needs statistics to choose ordered index scans.
    autovacuum_naptime: '5s',
    autovacuum_analyze_scale_factor: '0.05',
    jit: 'off',
    log_min_messages: 'fatal',
    log_autovacuum_min_duration: '-1',
  }
}

function flags(sockets: string): string[] {
  return Object.entries(settings(sockets)).flatMap(([key, value]) => ['-c', `${key}=${value}`])
}

const env = { ...process.env, TZ: 'UTC', LC_ALL: 'C.UTF-8' }

async function makeData(
  context: ServerContext,
  dist: DocumentDbDist,
  data: string,
  sockets: string,
): Promise<void> {
  const stamp = join(data, '..', '.created')
  if (existsSync(stamp)) return
  rmSync(data, { recursive: true, force: true })
  const { account } = context.instance
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
  const args = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', ...locale, '--no-instructions']
  const extensions = 'CREATE EXTENSION documentdb CASCADE;\nCREATE EXTENSION documentdb_extended_rum;\n'
  await step('DocumentDB: new data folder', async () => {
    await run(join(dist.bin, 'initdb'), args, { env, account, cwd: '/' })
    const single = ['--single', '-j', '-D', data, ...flags(sockets), 'postgres']
    await run(join(dist.bin, 'postgres'), single, { env, account, cwd: '/', input: extensions })
  })
  writeFileSync(stamp, '')
  giveToServers(context.instance, stamp)
}

/** Returns whether the postmaster's file contains its own process and "ready". */
function isPostgresReady(data: string, pid: number): boolean {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready'
  } catch {
    return false
  }
}

export const documentdb: Server = {
  title: 'MongoDB-compatible server',
  async prepare(context) {
    const { instance } = context
    const dist = await fetchDocumentDb(instance.cacheFolder)
    const folder = serverFolder(instance, 'documentdb')
    const data = join(folder, 'pg')
    const sockets = socketFolder(instance, 'documentdb')
    await makeData(context, dist, data, sockets)
    const port = instance.ports.mongo
    const url = `postgres://postgres@/postgres?host=${encodeURIComponent(sockets)}`
    return [
      {
        ...serverDefaults(context),
        name: 'documentdb',
        command: join(dist.bin, 'postgres'),
        env,
        cwd: folder,
        args: ['-D', data, ...flags(sockets)],
        isReady: async (pid) => isPostgresReady(data, pid),
        // Fast shutdown: ends sessions and writes everything.
        stopSignal: 'SIGINT',
        order: SERVER_ORDER - 1,
      },
      {
        ...serverDefaults(context),
        name: 'mongodb',
        command: dist.ferretdb,
        cwd: folder,
        args: [
          '--no-auth',
          `--postgresql-url=${url}`,
          `--listen-addr=127.0.0.1:${port}`,
          '--telemetry=disable',
          `--state-dir=${sockets}`,
          '--debug-addr=-',
          '--log-level=ERROR',
        ],
        port,
        isReady: () => isListening(port),
      },
    ]
  },
}
