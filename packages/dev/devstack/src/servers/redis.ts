import { join } from 'node:path'
import { ensureArtefact } from '../fetch/artefact.ts'
import { libraryEnv, requireLibraries, triplet, unpackDebian } from '../fetch/debian.ts'
import { serverFolder } from '../instance.ts'
import { findProgram } from '../paths.ts'
import { isListening } from '../readiness.ts'
import { type Server, serverDefaults } from './server.ts'

/** Fetches Redis if not installed. */
export async function redisProgram(
  cacheFolder: string,
): Promise<{ command: string; env: NodeJS.ProcessEnv }> {
  const installed = findProgram('redis-server')
  if (installed) return { command: installed, env: process.env }
  const folder = await ensureArtefact(cacheFolder, {
    name: `redis-${triplet()}`,
    title: 'Redis: packages',
    fill: (part, say) =>
      unpackDebian(
        part,
        {
          packages: ['redis-server', 'redis-tools'],
          otherwise: 'Redis is missing: install redis-server (macOS: brew install redis), or Docker.',
        },
        say,
      ),
    verify: (part) => requireLibraries(join(part, 'usr/bin/redis-server'), libraryEnv(part)),
  })
  return { command: join(folder, 'usr/bin/redis-server'), env: libraryEnv(folder) }
}

export const redis: Server = {
  title: 'Redis',
  async prepare(context) {
    const { command, env } = await redisProgram(context.instance.cacheFolder)
    const port = context.instance.ports.redis
    const folder = serverFolder(context.instance, 'redis')
    const settings = {
      port: String(port),
      bind: '127.0.0.1',
      dir: folder,
      daemonize: 'no',
      appendonly: 'yes',
      appendfsync: 'everysec',
      save: '',
      databases: '16',
    }
    return [
      {
        ...serverDefaults(context),
        name: 'redis',
        command,
        env,
        cwd: folder,
        args: Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]),
        port,
        isReady: () => isListening(port, 'PING\r\n', '+PONG'),
      },
    ]
  },
}
