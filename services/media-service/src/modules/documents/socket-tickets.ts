import { createHash, randomBytes } from 'node:crypto'
import { Problem } from '@bigtech/service-kit'
import type { Mysql } from '../../infrastructure/mysql.ts'

export interface TicketHolder {
  readonly userId: number
  readonly sessionId: string
}

export const TICKET_SECONDS = 30

/**
 * Single-use tickets that open a WebSocket from a URL, in the database shared by all web processes. Stores
 * only hashes. Raw: the database's clock decides, and a ticket is locked while it is redeemed.
 */
export class SocketTickets {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  async issue({ userId, sessionId }: TicketHolder): Promise<string> {
    const ticket = randomBytes(24).toString('base64url')
    await this.#mysql.run(
      'issueTicket',
      (db) => db.$executeRaw`
        INSERT INTO socket_tickets (hash, user_id, session_id, expires_at)
        VALUES (${hashOf(ticket)}, ${userId}, ${sessionId}, UTC_TIMESTAMP(3) + INTERVAL ${TICKET_SECONDS} SECOND)`,
    )
    return ticket
  }

  /** Redeems a ticket. @throws Problem TICKET_INVALID when it is unknown, used or expired */
  redeem(ticket: string): Promise<TicketHolder> {
    const hash = hashOf(ticket)
    return this.#mysql.transaction('redeemTicket', async (tx) => {
      const [row] = await tx.$queryRaw<{ user_id: bigint; session_id: string }[]>`
        SELECT user_id, session_id FROM socket_tickets
        WHERE hash = ${hash} AND expires_at > UTC_TIMESTAMP(3) FOR UPDATE`
      if (!row) throw new Problem('TICKET_INVALID')
      await tx.socketTicket.delete({ where: { hash } })
      return { userId: Number(row.user_id), sessionId: row.session_id }
    })
  }

  async purge(): Promise<void> {
    await this.#mysql.run(
      'purgeTickets',
      (db) => db.$executeRaw`DELETE FROM socket_tickets WHERE expires_at < UTC_TIMESTAMP(3) LIMIT 1000`,
    )
  }
}

function hashOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64url')
}
