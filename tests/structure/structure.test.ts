import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')
const config = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as {
  forbidden: readonly { name: string }[]
}

/** One violation per rule: `from` imports `to`. */
const violations: Readonly<Record<string, { from: string; to: string }>> = {
  'no-cycles': { from: 'packages/a/src/one.ts', to: 'packages/a/src/two.ts' },
  'services-stay-apart': { from: 'services/a-service/src/x.ts', to: 'services/b-service/src/y.ts' },
  'packages-know-no-service': { from: 'packages/a/src/x.ts', to: 'services/b-service/src/y.ts' },
  'kafka-is-transport-only': { from: 'packages/kafka/src/x.ts', to: 'packages/stores/src/y.ts' },
  'stores-know-no-messaging': { from: 'packages/stores/src/x.ts', to: 'packages/kafka/src/y.ts' },
  'outbox-knows-no-service-kit': { from: 'packages/outbox/src/x.ts', to: 'packages/service-kit/src/y.ts' },
  'service-kit-knows-no-models': { from: 'packages/service-kit/src/x.ts', to: 'node_modules/mongoose' },
  'wiring-knows-no-driver': { from: 'services/a-service/src/app.ts', to: 'node_modules/ioredis' },
  'one-kafka-client': { from: 'services/a-service/src/k.ts', to: 'node_modules/kafkajs' },
  'contracts-are-zod-only': { from: 'packages/contracts/src/x.ts', to: 'node_modules/fastify' },
  'use-cases-know-no-framework': {
    from: 'services/a-service/src/modules/thing/thing.service.ts',
    to: 'node_modules/fastify',
  },
  'repositories-stay-in-their-module': {
    from: 'services/a-service/src/modules/thing/thing.routes.ts',
    to: 'services/a-service/src/modules/other/other.repository.ts',
  },
  'generated-client-only-in-repositories': {
    from: 'services/a-service/src/modules/thing/thing.consumers.ts',
    to: 'services/a-service/src/generated/client.ts',
  },
  'mongodb-only-in-repositories': {
    from: 'services/chat-service/src/modules/messages/reading/z.ts',
    to: 'services/chat-service/src/infrastructure/mongo-store.ts',
  },
  'chat-contacts-wall': {
    from: 'services/chat-service/src/modules/contacts/x.ts',
    to: 'services/chat-service/src/modules/membership/y.ts',
  },
  'chat-membership-wall': {
    from: 'services/chat-service/src/modules/membership/x.ts',
    to: 'services/chat-service/src/modules/messages/y.ts',
  },
  'chat-messages-wall': {
    from: 'services/chat-service/src/modules/messages/x.ts',
    to: 'services/chat-service/src/modules/rooms/y.ts',
  },
  'chat-rooms-wall': {
    from: 'services/chat-service/src/modules/rooms/x.ts',
    to: 'services/chat-service/src/modules/stream/y.ts',
  },
  'chat-stream-wall': {
    from: 'services/chat-service/src/modules/stream/x.ts',
    to: 'services/chat-service/src/modules/rooms/y.ts',
  },
  'tests-are-not-imported': { from: 'packages/a/src/z.ts', to: 'packages/a/src/z.test.ts' },
  'test-helpers-stay-out-of-production': {
    from: 'services/chat-service/src/modules/messages/y.ts',
    to: 'services/chat-service/testing/rooms.ts',
  },
  'test-helpers-stay-out-of-src': { from: 'packages/a/src/t.test.ts', to: 'packages/a/src/testing/help.ts' },
  resolvable: { from: 'packages/a/src/missing.ts', to: 'packages/a/src/nowhere.ts' },
}

const folder = mkdtempSync(join(tmpdir(), 'bigtech-structure-'))
const broken = new Set<string>()

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

function importOf(from: string, to: string): string {
  const specifier = to.startsWith('node_modules/')
    ? to.slice('node_modules/'.length)
    : join(folder, to).replace(folder, '../'.repeat(dirname(from).split('/').length).slice(0, -1))
  return `import '${specifier}'\n`
}

beforeAll(async () => {
  for (const [rule, { from, to }] of Object.entries(violations)) {
    write(from, importOf(from, to))
    if (rule === 'resolvable') continue
    if (to.startsWith('node_modules/')) {
      write(`${to}/package.json`, '{ "main": "index.js" }')
      write(`${to}/index.js`, '')
    } else write(to, rule === 'no-cycles' ? importOf(to, from) : '')
  }
  const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')
  const args = ['--config', join(root, '.dependency-cruiser.cjs'), '--ts-config', join(root, 'tsconfig.json')]
  const { stdout } = await run(
    process.execPath,
    [bin, ...args, '--output-type', 'json', 'packages', 'services'],
    { cwd: folder, maxBuffer: 10_000_000 },
  ).catch((failure: { stdout: string }) => failure)
  const { summary } = JSON.parse(stdout) as {
    summary: { violations: { from: string; rule: { name: string } }[] }
  }
  for (const { from, rule } of summary.violations) broken.add(`${rule.name} ${from}`)
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true }))

describe('the structure rules', () => {
  it.each(config.forbidden.map(({ name }) => name))('a file that violates %s is reported', (name) => {
    expect(violations, `a seeded violation for ${name}`).toHaveProperty([name])
    expect([...broken]).toContain(`${name} ${violations[name]!.from}`)
  })
})
