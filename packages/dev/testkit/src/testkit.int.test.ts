import { userLoggedIn } from '@bigtech/contracts'
import { createKafka, createPublisher } from '@bigtech/kafka'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { collectEvents, createTestKafka } from './index.ts'

it('the collector receives events published before and after it started', async () => {
  const kafka = await createTestKafka()
  const connection = createKafka({ clientId: 'test', ...kafka, log: pino({ level: 'silent' }) })
  const publisher = createPublisher({ kafka: connection })
  const login = (user_id: number) =>
    publisher.publishEvent(
      userLoggedIn,
      { user_id, session_id: crypto.randomUUID() },
      { correlationId: 'test' },
    )
  try {
    await login(1)
    const collector = await collectEvents({ ...kafka, topics: ['user.events'] })
    await login(2)
    expect(await collector.waitFor(userLoggedIn, ({ user_id }) => user_id === 1)).toMatchObject({
      user_id: 1,
    })
    expect(await collector.waitFor(userLoggedIn, ({ user_id }) => user_id === 2)).toMatchObject({
      user_id: 2,
    })
    await collector.stop()
  } finally {
    await kafka.remove()
    await connection.close()
  }
})
