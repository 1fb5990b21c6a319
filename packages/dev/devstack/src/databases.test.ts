import { topicSpecs } from '@bigtech/kafka'
import { describe, expect, it } from 'vitest'
import { databaseStatements, mongoUrl } from './databases.ts'
import type { Instance } from './instance.ts'
import { services } from './services.ts'

const statements = databaseStatements((account) => `pw-${account}`)

describe('accounts', () => {
  it("a service's account can read and write rows of its own database only", () => {
    for (const { database } of services) {
      if (!database) continue
      const grants = statements.filter(
        (text) => text.startsWith('GRANT') && text.includes(`'${database.account}'@`),
      )
      expect(grants).toEqual([
        `GRANT SELECT, INSERT, UPDATE, DELETE ON \`${database.name}\`.* TO '${database.account}'@'%'`,
      ])
    }
  })

  it('accounts can be created repeatedly', () => {
    expect(
      statements.filter((text) => text.startsWith('CREATE')).every((text) => text.includes('IF NOT EXISTS')),
    ).toBe(true)
  })

  it('MongoDB uses the restricted account if the server has accounts', () => {
    const instance = { isDocker: true, ports: { mongo: 1 } } as Instance
    expect(mongoUrl(instance, () => 'pw', 'bigtech_chat')).toBe(
      'mongodb://chat_service:pw@127.0.0.1:1/bigtech_chat?directConnection=true',
    )
    expect(mongoUrl({ ...instance, isDocker: false }, () => 'pw', 'bigtech_chat')).toBe(
      'mongodb://127.0.0.1:1/bigtech_chat',
    )
  })
})

describe('topics', () => {
  it('topics have the partitions and retention of the contracts, and a dead-letter topic each', () => {
    const topics = topicSpecs(1)
    const byName = new Map(topics.map((topic) => [topic.name, topic]))
    expect(byName.get('message.events')?.partitions).toBe(10)
    expect(byName.get('user.online_status')?.config).toEqual({
      'retention.ms': '3600000',
      'min.insync.replicas': '1',
    })
    const plain = topics.filter((topic) => !topic.name.endsWith('.dlt'))
    for (const { name } of plain) expect(byName.has(`${name}.dlt`)).toBe(true)
    expect(topics.length).toBe(plain.length * 2)
  })
})
