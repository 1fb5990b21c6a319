import type { Service, ServiceClient } from '@bigtech/service-kit'
import type { Mysql } from '../../infrastructure/mysql.ts'
import { peopleConsumers, presenceSubscriptions } from './people.consumers.ts'
import { PeopleRepository } from './people.repository.ts'
import { PeopleService } from './people.service.ts'
import { PresenceCache } from './presence-cache.ts'

export interface PeopleModule {
  readonly repository: PeopleRepository
  readonly people: PeopleService
}

/** Wires the local copy of names, and the cache of presence. */
export function createPeople(options: {
  service: Service
  mysql: Mysql
  userService: ServiceClient
}): PeopleModule {
  const { service, mysql, userService } = options
  const repository = new PeopleRepository(mysql)
  service.subscribe('names', peopleConsumers(mysql, repository))
  const presence = new PresenceCache(service.metrics)
  service.subscribeEveryProcess(presenceSubscriptions(presence))
  return { repository, people: new PeopleService({ repository, userService, presence }) }
}
