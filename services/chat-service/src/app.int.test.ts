import { describeConformance, describeMigrations, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll } from 'vitest'
import { migrationsDir, schemaPath, startTestChat, type TestChat } from '../testing/chat.ts'

let chat: TestChat

beforeAll(async () => {
  chat = await startTestChat()
  await waitFor(async () => (await chat.services[0]!.app.inject('/ready')).statusCode === 200)
}, 60_000)
afterAll(() => chat.close())

describeConformance({ title: 'Chat Service', service: () => chat.services[0]! })
describeMigrations({ migrationsDir, schemaPath })
