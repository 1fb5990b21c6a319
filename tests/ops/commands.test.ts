import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { root } from './files.ts'

/**
 * Internal programs: parts of a container's or a test's start, and programs started by others in this list
 * with their own arguments.
 */
const internal = [
  'packages/dev/devstack/src/cli.ts',
  'packages/dev/devstack/src/mailbox.ts',
  'packages/dev/openid-provider/src/server.ts',
  'services/analysis-service/src/child.ts',
  'services/media-service/src/extract/child.ts',
  'tests/gateway/echo-main.ts',
  'tests/ops/redis-client.ts',
]

/** Programs that forward unknown options to another program. */
const passesOptionsOn = ['infrastructure/docker/mongodb/start.sh', 'infrastructure/docker/redis/start.sh']

/** Benchmarks started by `npm run load`, slow to load because each imports a whole service. */
const isBenchmark = (file: string): boolean => /^tests\/load\/(?!run\.ts)/.test(file)

const commands = programs().filter((file) => !internal.includes(file) && !isBenchmark(file))
const folder = mkdtempSync(join(tmpdir(), 'commands-'))
afterAll(() => rmSync(folder, { recursive: true }))

const TIMEOUT_MS = 60_000

describe.concurrent('--help', { timeout: TIMEOUT_MS }, () => {
  it.for(commands)('%s prints its usage and does not act', async (file, { expect }) => {
    const { code, out, contacts } = await run(file, '--help')
    expect({ code, contacts, left: readdirSync(folder) }).toEqual({ code: 0, contacts: 0, left: [] })
    expect(out.length).toBeGreaterThan(40)
  })
})

describe.concurrent('an unknown option', { timeout: TIMEOUT_MS }, () => {
  const strict = commands.filter((file) => !passesOptionsOn.includes(file))
  it.for(strict)('%s rejects it before doing anything', async (file, { expect }) => {
    const { code, err, contacts } = await run(file, '--no-such-option')
    expect({ contacts, left: readdirSync(folder) }).toEqual({ contacts: 0, left: [] })
    expect(code).toBeGreaterThan(0)
    expect(err).toContain('--no-such-option')
    expect(err).not.toMatch(/\n\s+at /)
  })
})

it('the list of commands covers every kind', () => {
  expect(commands).toEqual(
    expect.arrayContaining([
      'infrastructure/docker/make-env.sh',
      'k8s/make-secrets.mjs',
      'packages/dev/devstack/bootstrap.mjs',
      'services/analytics-service/src/rebuild.ts',
      'services/chat-service/src/server.ts',
    ]),
  )
})

interface Outcome {
  code: number | null
  out: string
  err: string
  /** Connections made to any store or service. */
  contacts: number
}

/** Runs a program in an empty directory with every address pointing to one listener. */
async function run(file: string, option: string): Promise<Outcome> {
  let contacts = 0
  const listener = createServer((socket) => {
    contacts++
    socket.destroy()
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  const path = join(root, file)
  const [program, ...before] = path.endsWith('.sh') ? [path] : [process.execPath, path]
  const child = spawn(program as string, [...before, option], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: folder,
    // A cache of compiled code halves the CPU time of the programs that load a whole service.
    env: {
      ...addresses(port),
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_COMPILE_CACHE: join(tmpdir(), 'bigtech-compile-cache'),
    },
    timeout: TIMEOUT_MS,
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => {
    out += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    err += String(chunk)
  })
  const [code] = (await once(child, 'close')) as [number | null]
  listener.close()
  return { code, out, err, contacts }
}

function addresses(port: number): Record<string, string> {
  const host = `127.0.0.1:${port}`
  return {
    DATABASE_URL: `mysql://a:b@${host}/bigtech_x`,
    MONGO_URL: `mongodb://${host}/bigtech_chat`,
    REDIS_URL: `redis://${host}`,
    KAFKA_BROKERS: host,
    OPERATOR_TOKEN: 'a-token-of-enough-length',
    TOTP_KEYS: 'a-key-of-enough-length',
    MYSQL_HOST: '127.0.0.1',
    MYSQL_ROOT_PASSWORD: 'x',
    MONGO_HOST: host,
    KONG_ADMIN_URL: `http://${host}`,
    USER_SERVICE_URL: `http://${host}`,
  }
}

/** Returns every executable file: scripts, and modules that parse arguments or start a package. */
function programs(): string[] {
  const { stdout } = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  const files = [...new Set(stdout.split('\n'))].filter((file) => file !== '' && existsSync(join(root, file)))
  return files.filter((file) => !/\.test\.ts$|\/testing\//.test(file) && isProgram(file))
}

function isProgram(file: string): boolean {
  if (file.endsWith('.sh') || /\/src\/server\.ts$/.test(file)) return true
  if (!/\.(m?js|ts)$/.test(file) || /\/(arguments\.mjs|src\/(command|run-service)\.ts)$/.test(file))
    return false
  const marks =
    /process\.argv|import\.meta\.main|^\s*(?:await |const [^=]+= )?(?:runCommand|readPositionals|readOptions)\(/m
  return marks.test(readFileSync(join(root, file), 'utf8'))
}
