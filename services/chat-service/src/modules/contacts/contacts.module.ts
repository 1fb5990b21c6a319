import type { Outbox } from '@bigtech/outbox'
import type { Service } from '@bigtech/service-kit'
import type { Mysql } from '../../plugins/mysql.ts'
import { ContactRepository } from './contacts.repository.ts'
import { ContactService } from './contacts.service.ts'
import { ListVersionReader } from './list-versions.ts'

export interface ContactsModule {
  readonly repository: ContactRepository
  readonly contacts: ContactService
  readonly listVersions: ListVersionReader
}

/** Wires the local copies of people. */
export function createContacts(options: {
  service: Service
  mysql: Mysql
  outbox: Outbox
  wakeRelay: () => void
}): ContactsModule {
  const repository = new ContactRepository(options.mysql, options.outbox, options.wakeRelay)
  return {
    repository,
    contacts: new ContactService(repository, options.service.metrics),
    listVersions: new ListVersionReader(options.mysql),
  }
}
