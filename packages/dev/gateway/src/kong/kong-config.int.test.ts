import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readConfig } from '../config.ts'

const kongYml = readConfig({}).KONG_CONFIG
const script = join(dirname(kongYml), 'kong-config.sh')

type Entity = { name: string; routes?: Entity[]; plugins?: Entity[] } & Record<string, unknown>
type Document = { services: Entity[]; routes: Entity[]; plugins: Entity[] }

/** The used part of Kong's Admin API in DB-less mode, with the responses of Kong 3.9. */
class FakeKong {
  readonly server: Server
  database = 'off'
  loads = 0
  #hash = ''
  #document: Document = { services: [], routes: [], plugins: [] }

  constructor() {
    this.server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const { status, body } = this.#answer(
        request.method ?? '',
        request.url ?? '',
        Buffer.concat(chunks).toString(),
      )
      response.writeHead(status, { 'content-type': 'application/json' }).end(body && JSON.stringify(body))
    })
  }

  #answer(method: string, url: string, body: string): { status: number; body?: unknown } {
    const path = url.split('?')[0]
    if (path === '/') return { status: 200, body: { configuration: { database: this.database } } }
    if (path === '/services' || path === '/routes' || path === '/plugins') {
      return { status: 200, body: { data: this.#list(path.slice(1)) } }
    }
    if (method === 'POST' && path === '/config') return this.#load(url, body)
    return { status: 404, body: { message: 'Not found' } }
  }

  #load(url: string, body: string): { status: number; body?: unknown } {
    const text = /name="config"[\s\S]*?\r\n\r\n([\s\S]*)\r\n--/.exec(body)?.[1] ?? ''
    const hash = createHash('md5').update(text).digest('hex')
    if (url.includes('check_hash=1') && hash === this.#hash) return { status: 304 }
    const document = parse(text) as Document
    if (!document.services) return { status: 400, body: { message: 'declarative config is invalid' } }
    this.#document = document
    this.#hash = hash
    this.loads += 1
    return { status: 201, body: {} }
  }

  #list(kind: string): unknown[] {
    const { services, routes, plugins } = this.#document
    const id = (entity: Entity) => `${entity.name}-id`
    // New ids and times at each load, as in Kong, which are no changes.
    const stamp = { created_at: this.loads }
    if (kind === 'services')
      return services.map(({ routes: _r, plugins: _p, ...own }) => ({ ...own, id: own.name, ...stamp }))
    if (kind === 'routes') {
      const ofServices = services.flatMap((service) =>
        (service.routes ?? []).map((route) => ({
          ...route,
          id: id(route),
          service: { id: service.name },
          ...stamp,
        })),
      )
      return [
        ...ofServices,
        ...routes.map(({ plugins: _p, ...route }) => ({ ...route, id: id(route), service: null, ...stamp })),
      ]
    }
    return plugins.map((plugin) => ({ ...plugin, id: id(plugin), service: null, route: null, ...stamp }))
  }
}

let kong: FakeKong
let url: string
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bigtech-kong-'))
})
beforeEach(async () => {
  kong = new FakeKong()
  await new Promise<void>((resolve) => kong.server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(kong.server.address() as AddressInfo).port}`
  return () => kong.server.close()
})
afterAll(() => kong.server.close())

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function run(args: string[] = [], env: Record<string, string> = {}): Promise<Outcome> {
  try {
    const done = await promisify(execFile)(script, args, {
      env: { ...process.env, KONG_ADMIN_URL: url, ...env },
    })
    return { code: 0, ...done }
  } catch (error) {
    return error as Outcome
  }
}

describe('kong-config.sh', () => {
  test('the first run applies, further runs change nothing', async () => {
    expect(await run()).toMatchObject({ code: 0, stdout: expect.stringContaining('applied') })
    for (const _again of [1, 2]) {
      expect(await run()).toMatchObject({ code: 0, stdout: expect.stringContaining('unchanged') })
    }
    expect(kong.loads).toBe(1)
  })

  test('kong-config.sh reports exactly the changes', async () => {
    await run()
    const file = join(folder, 'kong.yml')
    const text = await readFile(kongYml, 'utf8')
    await writeFile(
      file,
      text.replace('minute: 100', 'minute: 200').replace('name: gateway-health', 'name: health'),
    )
    const { stdout } = await run([file])
    const changes = stdout.split('\n').filter((line) => /^[+-] /.test(line))
    expect(changes).toContain('- plugin rate-limiting .config.minute 100')
    expect(changes).toContain('+ plugin rate-limiting .config.minute 200')
    expect(changes).toContain('+ route health .name "health"')
    expect(changes.every((line) => /rate-limiting .config.minute|route (gateway-)?health /.test(line))).toBe(
      true,
    )
  })

  test('a rejected file leaves the old one in effect and fails', async () => {
    await run()
    const file = join(folder, 'broken.yml')
    await writeFile(file, '_format_version: "3.0"\n')
    const { code, stderr } = await run([file])
    expect(code).toBe(1)
    expect(stderr).toContain('old configuration stays in effect')
    expect(stderr).toContain('declarative config is invalid')
    expect((await run()).stdout).toContain('unchanged')
  })

  test.each([
    ['no Kong', { KONG_ADMIN_URL: 'http://127.0.0.1:1' }, [], 1, 'cannot be reached'],
    ['a missing file', {}, ['/nowhere/kong.yml'], 2, 'cannot read /nowhere/kong.yml'],
    ['an unknown option', {}, ['--force'], 2, 'unknown option --force'],
    ['a wait without a number', {}, ['--wait', 'long'], 2, 'needs a number'],
  ])('%s fails with one sentence', async (_what, env, args, code, message) => {
    const outcome = await run(args, env)
    expect(outcome.code).toBe(code)
    expect(outcome.stderr).toContain(message)
    expect(outcome.stderr.trim().split('\n')).toHaveLength(1)
  })

  test('kong-config.sh rejects a Kong with a database', async () => {
    kong.database = 'postgres'
    expect(await run()).toMatchObject({ code: 1, stderr: expect.stringContaining('DB-less') })
    expect(kong.loads).toBe(0)
  })
})
