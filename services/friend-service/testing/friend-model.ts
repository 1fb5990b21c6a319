/**
 * A second specification of friend-service in other terms: the view of each user rather than the state of a
 * pair. Tests compare the real service with it.
 */

export type Step =
  | {
      readonly type: 'send' | 'remove' | 'block' | 'unblock' | 'restrict' | 'unrestrict'
      readonly by: number
      readonly to: number
    }
  | {
      readonly type: 'accept' | 'reject' | 'cancel'
      readonly by: number
      readonly to: number
      readonly requestId: number
    }
  | { readonly type: 'month' }

/** A request id, a problem code, or success. */
export type Reply = number | string

interface Sent {
  readonly id: number
  readonly expiresAt: number
}

const MONTH_MS = 30 * 24 * 3_600_000

export class FriendModel {
  readonly friends = new Set<string>()
  readonly outgoing = new Map<string, Sent>()
  readonly incoming = new Map<string, number>()
  readonly blocks = new Set<string>()
  readonly restrictions = new Set<string>()
  /** `from>to`: requests of `from` do not reach `to` until then. */
  readonly quiet = new Map<string, number>()
  /** The newest request of each pair and its end. */
  readonly latest = new Map<
    string,
    { id: number; from: number; end?: 'accepted' | 'cancelled' | 'rejected' }
  >()
  readonly events = new Map<string, string[]>()
  now: number

  constructor(now: number) {
    this.now = now
  }

  copy(): FriendModel {
    return Object.assign(new FriendModel(this.now), structuredClone({ ...this })) as FriendModel
  }

  /** @param reply the real service's response, whose new request ids are adopted */
  apply(step: Step, reply: Reply): Reply {
    if (step.type === 'month') return this.#month()
    const { by, to } = step
    const hidden = this.blocks.has(`${to}>${by}`)
    if (hidden && step.type === 'send') return 'USER_NOT_FOUND'
    if (hidden && step.type === 'remove') return 'FRIENDSHIP_NOT_FOUND'
    if (hidden && 'requestId' in step) return 'FRIEND_REQUEST_NOT_FOUND'
    switch (step.type) {
      case 'send':
        return this.#send(by, to, reply)
      case 'accept':
        return this.#accept(by, to, step.requestId)
      case 'reject':
        return this.#reject(by, to, step.requestId)
      case 'cancel':
        return this.#cancel(by, to, step.requestId)
      case 'remove':
        return this.#remove(by, to)
      case 'block':
        return this.#block(by, to)
      case 'unblock':
        if (this.blocks.delete(`${by}>${to}`)) this.#tell(by, to, `UserUnblocked ${by}`)
        return 'ok'
      case 'restrict':
        if (!this.restrictions.has(`${by}>${to}`)) this.#tell(by, to, `UserRestricted ${by}`)
        this.restrictions.add(`${by}>${to}`)
        return 'ok'
      case 'unrestrict':
        if (this.restrictions.delete(`${by}>${to}`)) this.#tell(by, to, `UserUnrestricted ${by}`)
        return 'ok'
    }
  }

  /** Returns the view of the three users in comparable form. */
  view(): object {
    const sorted = (items: Iterable<string>) => [...items].sort()
    return {
      friends: sorted(this.friends),
      outgoing: sorted([...this.outgoing].map(([who, { id }]) => `${who} ${id}`)),
      incoming: sorted([...this.incoming].map(([who, id]) => `${who} ${id}`)),
      blocks: sorted(this.blocks),
      restrictions: sorted(this.restrictions),
    }
  }

  #send(by: number, to: number, reply: Reply): Reply {
    if (this.blocks.has(`${by}>${to}`)) return 'FRIEND_REQUEST_REFUSED'
    if (this.friends.has(pairOf(by, to))) return 'ALREADY_FRIENDS'
    if (this.outgoing.has(`${by}>${to}`)) return 'FRIEND_REQUEST_EXISTS'
    const opposite = this.outgoing.get(`${to}>${by}`)
    if (opposite) {
      this.#befriend(to, by, opposite.id)
      return opposite.id
    }
    if (typeof reply !== 'number') return 'a new request'
    this.outgoing.set(`${by}>${to}`, { id: reply, expiresAt: this.now + MONTH_MS })
    this.latest.set(pairOf(by, to), { id: reply, from: by })
    const isWithheld = (this.quiet.get(`${by}>${to}`) ?? 0) > this.now
    if (!isWithheld) {
      this.incoming.set(`${by}>${to}`, reply)
      this.#tell(by, to, `FriendRequestSent ${by} ${reply}`)
    }
    return reply
  }

  #accept(by: number, to: number, id: number): Reply {
    if (this.incoming.get(`${to}>${by}`) === id) {
      this.#befriend(to, by, id)
      return id
    }
    const latest = this.latest.get(pairOf(by, to))
    const again = latest?.id === id && latest.from === to && latest.end === 'accepted'
    return again && this.friends.has(pairOf(by, to)) ? id : 'FRIEND_REQUEST_NOT_FOUND'
  }

  #reject(by: number, to: number, id: number): Reply {
    const latest = this.latest.get(pairOf(by, to))
    if (this.incoming.get(`${to}>${by}`) === id && latest) {
      this.incoming.delete(`${to}>${by}`)
      this.quiet.set(`${to}>${by}`, this.outgoing.get(`${to}>${by}`)!.expiresAt)
      latest.end = 'rejected'
      this.#tell(by, to, `FriendRequestRejected ${to} ${id}`)
      return id
    }
    const again = latest?.id === id && latest.from === to && latest.end === 'rejected'
    return again && this.outgoing.has(`${to}>${by}`) ? id : 'FRIEND_REQUEST_NOT_FOUND'
  }

  #cancel(by: number, to: number, id: number): Reply {
    const latest = this.latest.get(pairOf(by, to))
    if (this.outgoing.get(`${by}>${to}`)?.id === id) {
      this.#withdraw(by, to, 'cancelled')
      return 'ok'
    }
    const again = latest?.id === id && latest.from === by && latest.end === 'cancelled'
    return again ? 'ok' : 'FRIEND_REQUEST_NOT_FOUND'
  }

  #remove(by: number, to: number): Reply {
    if (this.friends.delete(pairOf(by, to))) {
      this.#tell(by, to, `FriendRemoved ${by}`)
      return 'ok'
    }
    return this.latest.get(pairOf(by, to))?.end === 'accepted' ? 'ok' : 'FRIENDSHIP_NOT_FOUND'
  }

  #block(by: number, to: number): Reply {
    if (this.blocks.has(`${by}>${to}`)) return 'ok'
    if (this.friends.delete(pairOf(by, to))) this.#tell(by, to, `FriendRemoved ${by}`)
    if (this.outgoing.has(`${by}>${to}`)) this.#withdraw(by, to, 'cancelled')
    const id = this.incoming.get(`${to}>${by}`)
    if (this.outgoing.delete(`${to}>${by}`)) delete this.latest.get(pairOf(by, to))!.end
    if (id !== undefined) {
      this.incoming.delete(`${to}>${by}`)
      this.#tell(by, to, `FriendRequestRejected ${to} ${id}`)
    }
    this.blocks.add(`${by}>${to}`)
    this.#tell(by, to, `UserBlocked ${by}`)
    return 'ok'
  }

  #month(): Reply {
    this.now += MONTH_MS
    for (const who of [...this.outgoing.keys()]) {
      const [by, to] = who.split('>').map(Number) as [number, number]
      this.#withdraw(by, to, 'expired')
    }
    return 'ok'
  }

  #befriend(from: number, to: number, id: number): void {
    this.outgoing.delete(`${from}>${to}`)
    this.incoming.delete(`${from}>${to}`)
    this.quiet.delete(`${from}>${to}`)
    this.quiet.delete(`${to}>${from}`)
    this.friends.add(pairOf(from, to))
    this.latest.get(pairOf(from, to))!.end = 'accepted'
    this.#tell(from, to, `FriendRequestAccepted ${from} ${id}`)
  }

  #withdraw(by: number, to: number, how: 'cancelled' | 'expired'): void {
    const { id } = this.outgoing.get(`${by}>${to}`)!
    this.outgoing.delete(`${by}>${to}`)
    const latest = this.latest.get(pairOf(by, to))!
    if (how === 'cancelled') latest.end = 'cancelled'
    else delete latest.end
    if (this.incoming.delete(`${by}>${to}`)) this.#tell(by, to, `FriendRequestCancelled ${by} ${id} ${how}`)
  }

  #tell(a: number, b: number, event: string): void {
    const pair = pairOf(a, b)
    this.events.set(pair, [...(this.events.get(pair) ?? []), event])
  }
}

export function pairOf(a: number, b: number): string {
  return a < b ? `${a}:${b}` : `${b}:${a}`
}
