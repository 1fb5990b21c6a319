import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort, type TestServers, waitFor } from '@bigtech/testkit'
import mariadb from 'mariadb'

export interface MysqlServer {
  readonly server: TestServers['mysql']
  stop(): Promise<void>
}

/** Nothing in it survives, so that nothing has to reach the disk. */
const forgetful = [
  '--secure-file-priv=NULL',
  '--skip-log-bin',
  '--mysqlx=OFF',
  '--innodb-flush-method=nosync',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-doublewrite=OFF',
]

/** Starts an empty MySQL on a free port. @param program the beginning of its command line */
export async function startMysql([command, ...given]: readonly [string, ...string[]]): Promise<MysqlServer> {
  const folder = mkdtempSync(join(tmpdir(), 'bigtech-mysql-'))
  const args = [...given, `--datadir=${join(folder, 'data')}`, `--user=${userInfo().username}`, ...forgetful]
  const created = spawnSync(command, [...args, '--initialize-insecure'], { encoding: 'utf8' })
  if (created.status !== 0) throw new Error(`mysqld --initialize-insecure: ${created.stderr}`)
  const port = await freePort()
  const [init, log] = [join(folder, 'init.sql'), join(folder, 'log')]
  // Without a password, root may connect by the socket only.
  writeFileSync(init, "ALTER USER 'root'@'localhost' IDENTIFIED BY 'of-root';\n")
  const places = [`--port=${port}`, '--bind-address=127.0.0.1', `--socket=${join(folder, 's')}`]
  const child = spawn(
    command,
    [...args, ...places, `--pid-file=${join(folder, 'pid')}`, `--init-file=${init}`],
    {
      stdio: ['ignore', 'ignore', openSync(log, 'w')],
    },
  )
  const server = { host: '127.0.0.1', port, user: 'root', password: 'of-root' }
  const stop = () => end(child, folder)
  const isDecided = async () => child.exitCode !== null || (await answers(server))
  await waitFor(isDecided, { timeoutMs: 60_000, what: 'MySQL' }).catch(async (err: unknown) => {
    await stop()
    throw err
  })
  if (child.exitCode !== null) throw new Error(`mysqld ended: ${readFileSync(log, 'utf8')}`)
  return { server, stop }
}

async function answers(server: TestServers['mysql']): Promise<boolean> {
  try {
    const connection = await mariadb.createConnection({ ...server, allowPublicKeyRetrieval: true })
    await connection.end()
    return true
  } catch {
    return false
  }
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  rmSync(folder, { recursive: true, force: true })
}
