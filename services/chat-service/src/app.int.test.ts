import { describeConformance, describeMigrations } from '@bigtech/testkit'
import { afterAll, beforeAll } from 'vitest'
import { migrationsDir, schemaPath, startTestChat, type TestChat } from '../testing/chat.ts'

let chat: TestChat

beforeAll(async () => {
  chat = await startTestChat()
  await chat.untilReady()
}, 60_000)
afterAll(() => chat.close())

describeConformance({ title: 'Chat Service', service: () => chat.services[0]! })
describeMigrations({ migrationsDir, schemaPath })
