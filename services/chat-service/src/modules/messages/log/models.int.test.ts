import { StoreMetrics } from '@bigtech/service-kit'
import { createTestMongo } from '@bigtech/testkit'
import mongoose from 'mongoose'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { mongoOptions } from '../../../infrastructure/mongo.ts'
import { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { MessageRepository } from './message.repository.ts'
import { draftOf } from './message-factory.ts'

it('a query treats an operator in place of a value as a value, which matches nothing', async () => {
  const mongo = createTestMongo()
  const connection = await mongoose.createConnection(mongo.url, { ...mongoOptions }).asPromise()
  try {
    const repository = new MessageRepository(new MongoStore(connection, new StoreMetrics(new Registry())))
    const message = { roomId: 1, userId: 1, username: 'a', content: 'x', clientMessageId: 'id' }
    await repository.messages.insert(1, [
      draftOf({ ...message, messageType: 'text' }, 'test').at(1, Date.now()),
    ])
    expect(await repository.findByClientId(1, 1, 'id')).toMatchObject({ content: 'x' })
    const operator = { $gt: '' } as never
    await expect(repository.findByClientId(1, 1, operator)).rejects.toThrow('Cast to string failed')
    await expect(repository.hiddenSince(1, operator, 10)).rejects.toThrow('Cast to date failed')
    expect(await repository.messages.model.countDocuments({ system: { $exists: true } })).toBe(0)
    expect(await repository.messages.model.countDocuments({ system: null })).toBe(1)
  } finally {
    await connection.close()
    await mongo.drop()
  }
})
