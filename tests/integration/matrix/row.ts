import type { ProblemCode } from '@bigtech/contracts'
import type { Values } from '../operations.ts'
import { type Role, roles, type Scene } from './scene.ts'

/** A status, or the error code of a refusal. */
export type Expected = number | ProblemCode
export type Table = Readonly<Record<Role, Expected>>

export interface Request {
  readonly params?: Values
  readonly query?: Values
  readonly body?: unknown
  /** Replaces the caller's own token. */
  readonly token?: string
}

/** One operation in one situation with the expected result per role. */
export interface Row {
  readonly operationId: string
  /** The situation, for operations with several rows. */
  readonly when?: string
  readonly table: Table
  /** The tested roles, limited where a try costs a password hash and roles do not differ. */
  readonly callers?: readonly Role[]
  readonly request?: (scene: Scene, role: Role, made: Made) => Request
  /** Creates the subject of the requests, before the first caller. */
  readonly once?: (scene: Scene) => Promise<Made>
  /** Creates what this caller's request uses up. */
  readonly before?: (scene: Scene, role: Role) => Promise<Made>
  /** Expected result for an unknown id, by parameter; null where it is no error. */
  readonly missing?: Readonly<Record<string, ProblemCode | null>>
  /** Checks a response that its status does not determine. */
  readonly check?: (answer: Answered, scene: Scene, role: Role) => void
}

// biome-ignore lint/suspicious/noExplicitAny: whatever a row makes, it reads itself
export type Made = any
// biome-ignore lint/suspicious/noExplicitAny: a test asserts on whatever came
export type Answered = { readonly status: number; readonly body: any }

function table(of: (role: Role) => Expected): Table {
  return Object.fromEntries(roles.map((role) => [role, of(role)])) as Record<Role, Expected>
}

// A moderator has access to reports, and otherwise no more than a stranger.
const outsiders: readonly Role[] = ['stranger', 'moderator', 'blocked', 'removed', 'friend']
const ordinary: readonly Role[] = ['member']
const notOwner: readonly Role[] = ['member', 'admin']

/** Every signed-in role. */
export function everybody(expected: Expected, but: Partial<Table> = {}): Table {
  return { ...table((role) => (role === 'anonymous' ? 'NOT_AUTHENTICATED' : expected)), ...but }
}

/** Every role including anonymous. */
export function anybody(expected: Expected): Table {
  return table(() => expected)
}

/** Members of the group; refused to others. */
export function members(expected: Expected, but: Partial<Table> = {}): Table {
  const inside = table((role) => (outsiders.includes(role) ? 'NOT_A_MEMBER' : expected))
  return { ...inside, anonymous: 'NOT_AUTHENTICATED', ...but }
}

/** Owner and admins. */
export function admins(expected: Expected): Table {
  return members(expected, Object.fromEntries(ordinary.map((role) => [role, 'ROLE_REQUIRED'])))
}

/** Owner only. */
export function ownerAlone(expected: Expected, refusal: ProblemCode = 'ROLE_REQUIRED'): Table {
  return members(expected, Object.fromEntries(notOwner.map((role) => [role, refusal])))
}

/** Users with the moderator role. */
export function moderators(expected: Expected): Table {
  return everybody('ACCOUNT_ROLE_REQUIRED', { moderator: expected })
}

/** Only the owner of the object; it looks nonexistent to others. */
export function ownersOnly(expected: Expected, others: ProblemCode): Table {
  return everybody(others, { owner: expected })
}
