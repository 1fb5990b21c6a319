import { openMysql, openOutbox, type Service, type ServiceOutbox } from '@bigtech/service-kit'
import type { Config } from './config.ts'
import { createMysql, type Mysql } from './infrastructure/mysql.ts'
import { type ObjectStore, openObjectStore } from './infrastructure/object-store.ts'
import { DocumentRepository } from './modules/documents/document.repository.ts'
import { DocumentQueries } from './modules/documents/document-queries.repository.ts'
import { DoomedObjects } from './modules/files/doomed-objects.repository.ts'
import { FileRepository } from './modules/files/file.repository.ts'
import { FileRemoval } from './modules/files/file-removal.repository.ts'
import { FileUses } from './modules/files/file-uses.repository.ts'
import { JobRepository } from './modules/jobs/job.repository.ts'
import { ScriptRepository } from './modules/practice/script.repository.ts'
import { TakeRepository } from './modules/practice/take.repository.ts'
import { TakeReports } from './modules/practice/take-reports.repository.ts'

/** The stores shared by web side and worker. */
export interface Stores {
  readonly mysql: Mysql
  readonly objects: ObjectStore
  readonly outbox: ServiceOutbox
  readonly jobs: JobRepository
  readonly files: FileRepository
  readonly fileUses: FileUses
  readonly fileRemoval: FileRemoval
  readonly doomedObjects: DoomedObjects
  readonly documents: DocumentRepository
  readonly documentQueries: DocumentQueries
  readonly takes: TakeRepository
  readonly takeReports: TakeReports
  readonly scripts: ScriptRepository
}

/** Opens the stores of one process. */
export function openStores(service: Service, config: Config): Stores {
  const mysql = openMysql(service, createMysql(config.DATABASE_URL, service.metrics))
  const objects = openObjectStore(service, config)
  const outbox = openOutbox(service, mysql, config.DATABASE_URL)
  const jobs = new JobRepository(mysql, config.JOB_LEASE_SECONDS)
  const fileUses = new FileUses()
  const files = new FileRepository(mysql, outbox)
  const fileRemoval = new FileRemoval(mysql, fileUses)
  const doomedObjects = new DoomedObjects(mysql)
  const documents = new DocumentRepository({ mysql, jobs, files, fileRemoval, outbox })
  const takes = new TakeRepository(mysql, jobs)
  const takeReports = new TakeReports(mysql, takes, outbox)
  const documentQueries = new DocumentQueries(mysql)
  const scripts = new ScriptRepository(mysql)
  return {
    mysql,
    objects,
    outbox,
    jobs,
    files,
    fileUses,
    fileRemoval,
    doomedObjects,
    documents,
    documentQueries,
    takes,
    takeReports,
    scripts,
  }
}
