import { StoreMetrics } from '@bigtech/service-kit'
import type { Connection, mongo } from 'mongoose'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { MongoStore } from './mongo-store.ts'

it.each([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])(
  'find() rejects a limit of %s without a request, because the server would treat 0 as "no limit"',
  async (limit) => {
    const store = new MongoStore({} as Connection, new StoreMetrics(new Registry()))
    const collection = {
      find: () => {
        throw new Error('the server was called')
      },
    } as unknown as mongo.Collection
    await expect(store.find('test.find', collection, { filter: {}, limit })).rejects.toThrow(RangeError)
  },
)
