import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { serviceEnvironment } from './environment.ts'
import { noteStart, openInstance, passwordsOf } from './instance.ts'
import { identify, writePid } from './pids.ts'
import { services } from './services.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'instance-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const chat = services.find(({ name }) => name === 'chat-service')!

it('the environment of a service matches the running servers: with Docker MongoDB requires an account', () => {
  const settings = () => {
    const instance = openInstance('dev', undefined, { DEVSTACK_DATA: folder })
    return serviceEnvironment(chat, instance, passwordsOf(instance)).MONGO_URL
  }
  expect(settings()).toBe('mongodb://127.0.0.1:27117/bigtech_chat')
  noteStart(openInstance('dev', true, { DEVSTACK_DATA: folder }))
  expect(settings()).toMatch(/^mongodb:\/\/chat_service:.+@127\.0\.0\.1:27117\/bigtech_chat/)
  noteStart(openInstance('dev', false, { DEVSTACK_DATA: folder }))
  expect(settings()).toBe('mongodb://127.0.0.1:27117/bigtech_chat')
})

it('a running instance keeps its ports regardless of the current environment', () => {
  const env = { DEVSTACK_DATA: folder }
  const started = openInstance('dev', false, { ...env, DEVSTACK_PORT_OFFSET: '700' })
  noteStart(started)
  const seen = () => openInstance('dev', undefined, env).ports
  expect(seen().kafka).toBe(19_092)
  const own = identify(process.pid)!
  writePid(started.pidFolder, { ...own, name: 'gateway', stopSignal: 'SIGTERM', order: 1 })
  expect(seen()).toEqual(started.ports)
  expect(openInstance('dev', false, env).ports.kafka).toBe(19_092)
})
