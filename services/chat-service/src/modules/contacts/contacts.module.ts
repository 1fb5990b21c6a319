import type { Service, ServiceOutbox } from '@bigtech/service-kit'
import type { Mysql } from '../../infrastructure/mysql.ts'
import { ContactRepository } from './contacts.repository.ts'
import { ContactService } from './contacts.service.ts'
import { MutedUsers } from './muted-users.ts'
import { ListVersionReader } from './prisma-list-versions.ts'

export interface ContactsModule {
  readonly repository: ContactRepository
  readonly contacts: ContactService
  readonly muted: MutedUsers
  readonly listVersions: ListVersionReader
}

/** Catches a mute whose event this process missed. */
const REFRESH_MUTES_MS = 30_000

/** Wires the local copies of users and their relations. */
export function createContacts(options: {
  service: Service
  mysql: Mysql
  outbox: ServiceOutbox
}): ContactsModule {
  const { service, mysql, outbox } = options
  const repository = new ContactRepository(mysql, outbox, () => outbox.wake())
  const muted = new MutedUsers((userIds) => repository.mutes(userIds))
  service.every({ name: 'muted users', everyMs: REFRESH_MUTES_MS, run: () => muted.refresh() })
  return {
    repository,
    muted,
    contacts: new ContactService(repository, service.metrics),
    listVersions: new ListVersionReader(mysql),
  }
}
