import type { DocumentFrame } from '@bigtech/contracts'
import { type DocumentRecord, documentView } from './document.ts'
import type { DocumentQueries } from './document-queries.repository.ts'
import type { TicketHolder } from './socket-tickets.ts'

/** The used part of a WebSocket. */
export interface Socket {
  readonly bufferedAmount: number
  send(frame: string): void
  ping(): void
  close(code: number, reason: string): void
  terminate(): void
  on(event: 'close' | 'error' | 'pong', listener: () => void): unknown
}

interface Connection extends TicketHolder {
  readonly socket: Socket
  isAlive: boolean
}

/** Unsent bytes after which a slow client is disconnected, which bounds the buffers. */
const MAX_UNREAD_BYTES = 2 ** 20
const SOCKETS_PER_USER = 10
const GOING_AWAY = 1001
const POLICY_VIOLATION = 1008
const TRY_AGAIN_LATER = 1013

/**
 * The open WebSockets of this process. Polls the table for connected users, so that notifications need
 * neither another store nor communication between processes; a reconnecting client receives the unfinished
 * documents.
 */
export class DocumentSockets {
  readonly #documents: Pick<DocumentQueries, 'watched'>
  readonly #connections = new Map<number, Set<Connection>>()
  /** The last sent state of each document, by user. */
  readonly #known = new Map<number, Map<string, string>>()

  constructor(documents: Pick<DocumentQueries, 'watched'>) {
    this.#documents = documents
  }

  get count(): number {
    let count = 0
    for (const connections of this.#connections.values()) count += connections.size
    return count
  }

  /** Adds a socket and sends it the unfinished documents. The eleventh socket of a user closes the oldest. */
  async add(holder: TicketHolder, socket: Socket): Promise<void> {
    const connection: Connection = { ...holder, socket, isAlive: true }
    const connections = this.#connections.get(holder.userId) ?? new Set()
    this.#connections.set(holder.userId, connections.add(connection))
    socket.on('close', () => this.#remove(connection))
    socket.on('error', () => socket.terminate())
    socket.on('pong', () => {
      connection.isAlive = true
    })
    const [oldest] = connections
    if (connections.size > SOCKETS_PER_USER) oldest?.socket.close(POLICY_VIOLATION, 'newer socket')
    try {
      const documents = await this.#documents.watched([holder.userId])
      const open = documents.filter(({ finishedAt }) => finishedAt === null)
      // Before the first poll no change of this user is known.
      if (!this.#known.has(holder.userId)) this.#known.set(holder.userId, signatures(documents))
      this.#send(connection, { type: 'connected', documents: open.map(documentView) })
    } catch {
      socket.close(TRY_AGAIN_LATER, 'try again later')
    }
  }

  /** Sends changes since the last poll. Runs every second. */
  async poll(): Promise<void> {
    const userIds = [...this.#connections.keys()].filter((userId) => this.#known.has(userId))
    const documents = await this.#documents.watched(userIds)
    for (const userId of userIds) {
      const own = documents.filter(({ ownerId }) => ownerId === userId)
      const known = this.#known.get(userId)
      for (const document of own) {
        if (known?.get(document.id) === signatureOf(document)) continue
        this.tell(userId, { type: `document_${document.status}`, document: documentView(document) })
      }
      if (this.#connections.has(userId)) this.#known.set(userId, signatures(own))
    }
  }

  tell(userId: number, frame: DocumentFrame): void {
    for (const connection of this.#connections.get(userId) ?? []) this.#send(connection, frame)
  }

  /** Closes connections whose peer is lost. Runs every 30 s. */
  checkAlive(): void {
    for (const connection of this.#all()) {
      if (!connection.isAlive) connection.socket.terminate()
      connection.isAlive = false
      connection.socket.ping()
    }
  }

  closeSessions(sessionIds: readonly string[]): void {
    for (const { sessionId, socket } of this.#all())
      if (sessionIds.includes(sessionId)) socket.close(POLICY_VIOLATION, 'session revoked')
  }

  closeAll(): void {
    for (const { socket } of this.#all()) socket.close(GOING_AWAY, 'reconnect')
  }

  #all(): Connection[] {
    return [...this.#connections.values()].flatMap((connections) => [...connections])
  }

  #send({ socket }: Connection, frame: DocumentFrame): void {
    if (socket.bufferedAmount > MAX_UNREAD_BYTES) socket.terminate()
    else socket.send(JSON.stringify(frame))
  }

  #remove(connection: Connection): void {
    const connections = this.#connections.get(connection.userId)
    connections?.delete(connection)
    if (connections?.size !== 0) return
    this.#connections.delete(connection.userId)
    this.#known.delete(connection.userId)
  }
}

const signatureOf = ({ status, progress, stage }: DocumentRecord) => `${status} ${progress} ${stage}`

function signatures(documents: readonly DocumentRecord[]): Map<string, string> {
  return new Map(documents.map((document) => [document.id, signatureOf(document)]))
}
