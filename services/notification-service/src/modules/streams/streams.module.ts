import type { Service } from '@bigtech/service-kit'
import type { Mysql } from '../../infrastructure/mysql.ts'
import { streamsConsumers } from './streams.consumers.ts'
import { StreamsRepository } from './streams.repository.ts'

const PURGE_MS = 10 * 60_000

/** Wires open streams. A separate group, so that push notifications do not wait behind heartbeats. */
export function createStreams(options: {
  service: Service
  mysql: Mysql
  now: () => number
}): StreamsRepository {
  const { service, mysql, now } = options
  const streams = new StreamsRepository(mysql)
  service.subscribe('presence', streamsConsumers(streams))
  service.every({ name: 'purge streams', everyMs: PURGE_MS, run: () => streams.purge(now()) })
  return streams
}
