import type { Role } from '../membership/membership.ports.ts'

/** The rules of rooms, without a store. */
export const roomLimits = { members: 1_000, roomsPerUser: 2_000, links: 20 } as const

export type RoomAction =
  | 'view'
  | 'invite'
  | 'leave'
  | 'update'
  | 'remove'
  | 'manage_links'
  | 'read_audit'
  | 'set_role'
  | 'delete'

const rank: Record<Role, number> = { member: 0, admin: 1, owner: 2 }

const neededRole: Record<RoomAction, Role> = {
  view: 'member',
  invite: 'member',
  leave: 'member',
  update: 'admin',
  remove: 'admin',
  manage_links: 'admin',
  read_audit: 'admin',
  set_role: 'owner',
  delete: 'owner',
}

/** Returns the lowest role that may perform an action. */
export function roleFor(action: RoomAction): Role {
  return neededRole[action]
}

/** Returns whether a role is sufficient for an action. */
export function roleAllows(role: Role, action: RoomAction): boolean {
  return rank[role] >= rank[neededRole[action]]
}

/** Returns whether one role may remove another: admins remove members, the owner also admins, nobody an equal. */
export function mayRemove(actor: Role, target: Role): boolean {
  return roleAllows(actor, 'remove') && rank[actor] > rank[target]
}

export interface Candidate {
  readonly userId: number
  readonly role: Role
  readonly joinedAt: Date
}

/** Returns the new owner after the owner has left: the oldest admin, or else the oldest member. */
export function nextOwner<C extends Candidate>(members: readonly C[]): C | undefined {
  const older = (a: C, b: C) => a.joinedAt.getTime() - b.joinedAt.getTime() || a.userId - b.userId
  const admins = members.filter(({ role }) => role === 'admin')
  return [...(admins.length > 0 ? admins : members)].sort(older)[0]
}

/** The sort key of a room in the list. */
export interface ListPosition {
  readonly pinned: boolean
  readonly at: number
  readonly roomId: number
}

/** Compares rooms: pinned first, then newest activity, then id, so that the order is total. */
export function compareInList(a: ListPosition, b: ListPosition): number {
  return Number(b.pinned) - Number(a.pinned) || b.at - a.at || b.roomId - a.roomId
}
