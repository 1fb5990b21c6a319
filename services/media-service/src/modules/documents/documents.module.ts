import { documentDeleted, type Message } from '@bigtech/contracts'
import { on } from '@bigtech/kafka'
import type { AuthenticatedContext, Service } from '@bigtech/service-kit'
import { Gauge } from 'prom-client'
import type { Stores } from '../../stores.ts'
import type { FileService } from '../files/file.service.ts'
import type { UploadService, UploadServiceOptions } from '../files/upload.service.ts'
import { DocumentService, typeOfFile } from './document.service.ts'
import { DocumentSockets } from './document-sockets.ts'
import { documentsRoutes } from './documents.routes.ts'
import { SocketTickets } from './socket-tickets.ts'
import { socketsRoutes } from './sockets.routes.ts'

export interface DocumentsOptions {
  readonly service: Service
  readonly stores: Stores
  readonly files: FileService
  readonly createUploads: (queue: UploadServiceOptions['queue']) => UploadService
  readonly findMessage: (ctx: AuthenticatedContext, messageId: string) => Promise<Message | undefined>
}

const POLL_MS = 1_000
const ALIVE_MS = 30_000
const PURGE_MS = 60_000

/** Wires documents: the API, and the WebSocket with their progress. */
export async function createDocuments(options: DocumentsOptions): Promise<void> {
  const { service, stores, files, createUploads, findMessage } = options
  const { documents, documentQueries, mysql, objects } = stores
  const sockets = new DocumentSockets(documentQueries)
  const tickets = new SocketTickets(mysql)
  const uploadsFor = (request: Parameters<typeof documents.begin>[2]['request']) =>
    createUploads((tx, file, requestId) =>
      documents.begin(tx, file, { type: typeOfFile(file), request, requestId }),
    )
  await service.app.register(documentsRoutes, {
    documents: new DocumentService({ documents, documentQueries, files, uploadsFor, findMessage }),
    store: objects,
  })
  await service.app.register(socketsRoutes, { sockets, tickets, revocations: service.revocations })
  service.revocations.onRevoked((sessionIds) => sockets.closeSessions(sessionIds))
  service.subscribeEveryProcess([
    on(documentDeleted, async ({ user_id, document_id }) =>
      sockets.tell(user_id, { type: 'document_deleted', document_id }),
    ),
  ])
  service.every({ name: 'watch documents', everyMs: POLL_MS, run: () => sockets.poll() })
  service.every({ name: 'check sockets', everyMs: ALIVE_MS, run: async () => sockets.checkAlive() })
  service.every({ name: 'purge tickets', everyMs: PURGE_MS, run: () => tickets.purge() })
  service.lifecycle.onStop('streams', 'sockets', () => sockets.closeAll())
  new Gauge({
    name: 'media_open_sockets',
    help: 'Open WebSockets of this process.',
    registers: [service.metrics],
    collect() {
      this.set(sockets.count)
    },
  })
}
