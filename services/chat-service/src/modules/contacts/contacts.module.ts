import type { Service, ServiceOutbox } from '@bigtech/service-kit'
import type { Mysql } from '../../infrastructure/mysql.ts'
import { ContactRepository } from './contacts.repository.ts'
import { ContactService } from './contacts.service.ts'
import { ListVersionReader } from './prisma-list-versions.ts'

export interface ContactsModule {
  readonly repository: ContactRepository
  readonly contacts: ContactService
  readonly listVersions: ListVersionReader
}

/** Wires the local copies of people. */
export function createContacts(options: {
  service: Service
  mysql: Mysql
  outbox: ServiceOutbox
}): ContactsModule {
  const { mysql, outbox } = options
  const repository = new ContactRepository(mysql, outbox, () => outbox.wake())
  return {
    repository,
    contacts: new ContactService(repository, options.service.metrics),
    listVersions: new ListVersionReader(mysql),
  }
}
