import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { serviceEnvironment } from './environment.ts'
import { noteServersKind, openInstance, passwordsOf } from './instance.ts'
import { services } from './services.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'instance-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const chat = services.find(({ name }) => name === 'chat-service')!

it('the settings of a service are those of the servers that run: with Docker MongoDB wants an account', () => {
  const settings = () => {
    const instance = openInstance('dev', undefined, { DEVSTACK_DATA: folder })
    return serviceEnvironment(chat, instance, passwordsOf(instance)).MONGO_URL
  }
  expect(settings()).toBe('mongodb://127.0.0.1:27117/bigtech_chat')
  noteServersKind(openInstance('dev', true, { DEVSTACK_DATA: folder }))
  expect(settings()).toMatch(/^mongodb:\/\/chat_service:.+@127\.0\.0\.1:27117\/bigtech_chat/)
  noteServersKind(openInstance('dev', false, { DEVSTACK_DATA: folder }))
  expect(settings()).toBe('mongodb://127.0.0.1:27117/bigtech_chat')
})
