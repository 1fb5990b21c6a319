import { join } from 'node:path'
import { ensureArtefact } from '../fetch/artefact.ts'
import { loaderName, triplet, unpackDebian } from '../fetch/debian.ts'
import { run } from '../run.ts'

/** The only suite with MySQL; older ones have MariaDB under its name. */
const SUITE = 'sid'

/** Returns the command line of mysqld, without options of ours. Fetches MySQL, which no stack needs: production runs it. */
export async function mysqlProgram(cacheFolder: string): Promise<readonly [string, ...string[]]> {
  const folder = await ensureArtefact(cacheFolder, {
    name: `mysql-${SUITE}-${triplet()}`,
    title: 'MySQL: packages',
    fill: (part, say) =>
      unpackDebian(
        part,
        {
          packages: ['mysql-server-core'],
          suite: SUITE,
          isWanted: (name) => /^(mysql-server-core|lib|zlib1g$)/.test(name) && !/perl|systemd/.test(name),
          otherwise: 'MySQL can be fetched on machines with apt and dpkg (Debian, Ubuntu).',
        },
        say,
      ),
    verify: async (part) => void (await run(...split([...commandOf(part), '--version']))),
  })
  return commandOf(folder)
}

function commandOf(folder: string): readonly [string, ...string[]] {
  const usr = join(folder, 'usr')
  const libs = join(usr, 'lib', triplet())
  const loader = [join(libs, loaderName()), '--inhibit-cache', '--library-path', libs] as const
  const parts = [`--basedir=${usr}`, `--plugin-dir=${join(usr, 'lib/mysql/plugin')}`]
  return [...loader, join(usr, 'sbin/mysqld'), '--no-defaults', ...parts]
}

const split = ([command, ...args]: readonly [string, ...string[]]): [string, string[]] => [command, args]
