import { join } from 'node:path'
import { ensureArtefact, findProgram, run } from '@bigtech/devstack'
import { createTestMysql, freePort } from '@bigtech/testkit'
import { httpCaller } from './http.ts'
import { type Peer, peersFolder, startProgram } from './peer.ts'

const PACKAGES = ['fastapi==0.163.2', 'uvicorn==0.54.0', 'sqlalchemy[asyncio]==2.1.9', 'aiomysql==0.3.2']

/** Installs FastAPI with SQLAlchemy, and starts one process of it that stores messages in MySQL. */
export async function startFastApi(content: string): Promise<Peer> {
  const packages = await install()
  const [mysql, port] = await Promise.all([createTestMysql(), freePort()])
  await mysql.query(`CREATE TABLE messages (id BIGINT AUTO_INCREMENT PRIMARY KEY, room VARCHAR(36) NOT NULL,
    sender VARCHAR(36) NOT NULL, body VARCHAR(400) NOT NULL, created_at DATETIME(6) NOT NULL)`)
  await mysql.query("INSERT INTO messages (room, sender, body, created_at) VALUES ('1', '1', ?, NOW(6))", [
    content,
  ])
  const server = await startProgram(port, () => ({
    command: join(packages, 'venv/bin/python'),
    args: [
      '-m',
      'uvicorn',
      'fastapi_app:app',
      '--app-dir',
      import.meta.dirname,
      '--port',
      String(port),
      '--log-level',
      'warning',
    ],
    env: {
      ...process.env,
      DATABASE_URL: mysql.url.replace('mysql:', 'mysql+aiomysql:'),
      PYTHONDONTWRITEBYTECODE: '1',
    },
  }))
  const caller = httpCaller(`http://127.0.0.1:${port}`)
  return {
    name: 'FastAPI',
    pid: server.pid,
    send: () => caller.call('POST', '/messages', { body: { room: '1', content } }),
    read: () => caller.call('GET', '/messages/1'),
    stop: async () => {
      await caller.close()
      await server.stop()
      await mysql.drop()
    },
  }
}

function install(): Promise<string> {
  return ensureArtefact(peersFolder, {
    name: `fastapi-${PACKAGES[0]!.split('==')[1]}`,
    title: 'FastAPI: Python packages',
    fill: async (part) => {
      const python = findProgram('python3')
      if (!python) throw new Error('python3 is missing: install python3 and python3-venv.')
      await run(python, ['-m', 'venv', join(part, 'venv')])
      // Runs the module: an environment's scripts contain its original path, and this one is renamed.
      await run(join(part, 'venv/bin/python'), ['-m', 'pip', 'install', '--quiet', ...PACKAGES])
    },
  })
}
