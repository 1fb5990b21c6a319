import { createHash, randomBytes } from 'node:crypto'
import { Problem, StoreUnavailable } from '@bigtech/service-kit'
import { z } from 'zod'

/** The Redis operations on tickets. */
export interface TicketKeys {
  set(key: string, value: string, mode: 'EX', seconds: number): Promise<unknown>
  getdel(key: string): Promise<string | null>
}

const holder = z.object({
  userId: z.int().positive(),
  sessionId: z.string(),
  username: z.string(),
  lastEventId: z.string().optional(),
})
export type TicketHolder = z.infer<typeof holder>

export const TICKET_SECONDS = 30

/** Single-use tickets that open a stream from a URL. Redis stores only their hashes. */
export class StreamTickets {
  readonly #keys: TicketKeys

  constructor(keys: TicketKeys) {
    this.#keys = keys
  }

  async issue(to: TicketHolder): Promise<string> {
    const ticket = randomBytes(24).toString('base64url')
    await this.#withRedis(() => this.#keys.set(keyOf(ticket), JSON.stringify(to), 'EX', TICKET_SECONDS))
    return ticket
  }

  /** Redeems a ticket. @throws Problem TICKET_INVALID when it is unknown, used or expired */
  async redeem(ticket: string): Promise<TicketHolder> {
    const value = await this.#withRedis(() => this.#keys.getdel(keyOf(ticket)))
    if (value === null) throw new Problem('TICKET_INVALID')
    return holder.parse(JSON.parse(value))
  }

  async #withRedis<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      return await work()
    } catch (err) {
      throw new StoreUnavailable('redis', err)
    }
  }
}

function keyOf(ticket: string): string {
  return `chat:ticket:${createHash('sha256').update(ticket).digest('base64url')}`
}
