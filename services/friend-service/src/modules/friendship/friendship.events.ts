import {
  type EventMeta,
  friendRemoved,
  friendRequestAccepted,
  friendRequestCancelled,
  friendRequestRejected,
  friendRequestSent,
  userBlocked,
  userRestricted,
  userUnblocked,
  userUnrestricted,
} from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import type { Tx } from '../../infrastructure/mysql.ts'
import type { PairEvent } from './friendship.ts'
import { otherSide, type Side } from './pair.ts'

const requestEvents = {
  FriendRequestSent: friendRequestSent,
  FriendRequestAccepted: friendRequestAccepted,
  FriendRequestRejected: friendRequestRejected,
} as const

interface VersionedPair {
  readonly low: number
  readonly high: number
  /** Version of the row including these events. */
  readonly version: number
}

/** Stores the events of a pair in the outbox, in the transaction of the change. */
export async function enqueuePairEvents(
  outbox: Outbox,
  tx: Tx,
  pair: VersionedPair,
  events: readonly PairEvent[],
  meta: EventMeta,
): Promise<void> {
  for (const event of events) await enqueue(outbox, tx, pair, event, meta)
}

async function enqueue(
  outbox: Outbox,
  tx: Tx,
  pair: VersionedPair,
  event: PairEvent,
  meta: EventMeta,
): Promise<void> {
  const pair_version = pair.version
  switch (event.type) {
    case 'FriendRequestSent':
    case 'FriendRequestAccepted':
    case 'FriendRequestRejected':
      await outbox.enqueue(tx, requestEvents[event.type], requestPayload(pair, event), meta)
      return
    case 'FriendRequestCancelled':
      await outbox.enqueue(
        tx,
        friendRequestCancelled,
        { ...requestPayload(pair, event), reason: event.reason },
        meta,
      )
      return
    case 'FriendRemoved':
      await outbox.enqueue(
        tx,
        friendRemoved,
        { user_id: pair[event.by], friend_id: pair[otherSide(event.by)], pair_version },
        meta,
      )
      return
    case 'UserBlocked':
    case 'UserUnblocked':
      await outbox.enqueue(
        tx,
        event.type === 'UserBlocked' ? userBlocked : userUnblocked,
        { blocker_id: pair[event.by], blocked_id: pair[otherSide(event.by)], pair_version },
        meta,
      )
      return
    case 'UserRestricted':
    case 'UserUnrestricted':
      await outbox.enqueue(
        tx,
        event.type === 'UserRestricted' ? userRestricted : userUnrestricted,
        { restricter_id: pair[event.by], restricted_id: pair[otherSide(event.by)], pair_version },
        meta,
      )
  }
}

function requestPayload(pair: VersionedPair, event: { readonly requestId: number; readonly from: Side }) {
  return {
    request_id: event.requestId,
    from_user_id: pair[event.from],
    to_user_id: pair[otherSide(event.from)],
    pair_version: pair.version,
  }
}
