import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ensureArtefact } from '../fetch/artefact.ts'
import { libraryEnv, requireLibraries, triplet, unpackDebian } from '../fetch/debian.ts'
import { giveToServers, serverFolder, socketFolder } from '../instance.ts'
import { findProgram } from '../paths.ts'
import { step } from '../progress.ts'
import { isListening } from '../readiness.ts'
import { run } from '../run.ts'
import { type Server, type ServerContext, serverDefaults } from './server.ts'

interface Program {
  server: string
  install: string
  /** Directory of a privately unpacked program. */
  base: string | undefined
  env: NodeJS.ProcessEnv
}

async function program(context: ServerContext): Promise<Program> {
  const server = findProgram('mariadbd')
  const install = findProgram('mariadb-install-db')
  if (server && install) return { server, install, base: undefined, env: process.env }
  const folder = await ensureArtefact(context.instance.cacheFolder, {
    name: `mariadb-${triplet()}`,
    title: 'MariaDB: packages',
    fill: (part, say) =>
      unpackDebian(
        part,
        {
          packages: ['mariadb-server-core', 'mariadb-client-core'],
          otherwise: 'MariaDB is missing: install mariadb-server (macOS: brew install mariadb), or Docker.',
        },
        say,
      ),
    verify: (part) => requireLibraries(join(part, 'usr/sbin/mariadbd'), libraryEnv(part)),
  })
  const usr = join(folder, 'usr')
  const env = libraryEnv(folder)
  return { server: join(usr, 'sbin/mariadbd'), install: join(usr, 'bin/mariadb-install-db'), base: usr, env }
}

/** Returns SQL that sets root's password for TCP and removes accounts without one; the server runs it at each start. */
function initSql(password: string): string {
  return [
    `CREATE USER IF NOT EXISTS 'root'@'127.0.0.1' IDENTIFIED BY '${password}';`,
    `ALTER USER 'root'@'127.0.0.1' IDENTIFIED BY '${password}';`,
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}';`,
    "GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;",
    "DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host NOT IN ('localhost', '127.0.0.1'));",
    'FLUSH PRIVILEGES;',
    '',
  ].join('\n')
}

async function makeData(context: ServerContext, found: Program, data: string): Promise<void> {
  const stamp = join(dirname(data), '.created')
  if (existsSync(stamp)) return
  rmSync(data, { recursive: true, force: true })
  await step('MariaDB: new data folder', () =>
    run(
      found.install,
      [
        '--no-defaults',
        ...(found.base ? [`--basedir=${found.base}`] : []),
        `--datadir=${data}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
        '--skip-name-resolve',
      ],
      { env: found.env, account: context.instance.account, cwd: '/' },
    ),
  )
  writeFileSync(stamp, '')
}

export const mariadb: Server = {
  title: 'MariaDB',
  async prepare(context) {
    const { instance, passwords } = context
    const found = await program(context)
    const folder = serverFolder(instance, 'mysql')
    const data = join(folder, 'db')
    await makeData(context, found, data)
    const init = join(folder, 'init.sql')
    writeFileSync(init, initSql(passwords('mysql-root')), { mode: 0o600 })
    giveToServers(instance, init)
    const port = instance.ports.mysql
    const parts = found.base
      ? [
          `--basedir=${found.base}`,
          `--plugin-dir=${join(found.base, 'lib/mysql/plugin')}`,
          `--lc-messages-dir=${join(found.base, 'share/mysql')}`,
        ]
      : []
    return [
      {
        ...serverDefaults(context),
        name: 'mysql',
        command: found.server,
        env: found.env,
        cwd: folder,
        args: [
          '--no-defaults',
          ...parts,
          `--datadir=${data}`,
          `--socket=${join(socketFolder(instance, 'mysql'), 'mysql.sock')}`,
          `--pid-file=${join(folder, 'mysqld.pid')}`,
          `--init-file=${init}`,
          `--port=${port}`,
          '--bind-address=127.0.0.1',
          '--skip-name-resolve',
          '--character-set-server=utf8mb4',
          '--collation-server=utf8mb4_unicode_ci',
          '--innodb-buffer-pool-size=128M',
          '--max-connections=300',
        ],
        port,
        isReady: () => isListening(port, undefined),
      },
    ]
  },
}
