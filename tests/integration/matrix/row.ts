import type { ProblemCode } from '@bigtech/contracts'
import type { Values } from '../operations.ts'
import { type Role, roles, type Scene } from './scene.ts'

/** A status, or for a refusal the code that says which it is. */
export type Expected = number | ProblemCode
export type Table = Readonly<Record<Role, Expected>>

export interface Request {
  readonly params?: Values
  readonly query?: Values
  readonly body?: unknown
  /** Instead of the caller's own token. */
  readonly token?: string
}

/** One operation in one situation: who meets what. */
export interface Row {
  readonly operationId: string
  /** Which situation, where an operation has several. */
  readonly when?: string
  readonly table: Table
  /** Who is tried, where a try costs a password hash and the callers differ in nothing. */
  readonly callers?: readonly Role[]
  readonly request?: (scene: Scene, role: Role, made: Made) => Request
  /** Makes what the requests are about, before the first caller. */
  readonly once?: (scene: Scene) => Promise<Made>
  /** Makes what this caller's request uses up. */
  readonly before?: (scene: Scene, role: Role) => Promise<Made>
  /** What an id that belongs to nothing meets; null where that is no error. By the parameter's name. */
  readonly missing?: Readonly<Record<string, ProblemCode | null>>
  /** What the answer to somebody says, where the status does not tell. */
  readonly check?: (answer: Answered, scene: Scene, role: Role) => void
}

// biome-ignore lint/suspicious/noExplicitAny: whatever a row makes, it reads itself
export type Made = any
// biome-ignore lint/suspicious/noExplicitAny: a test asserts on whatever came
export type Answered = { readonly status: number; readonly body: any }

function table(of: (role: Role) => Expected): Table {
  return Object.fromEntries(roles.map((role) => [role, of(role)])) as Record<Role, Expected>
}

// A moderator sees what was reported, and of everything else no more than a stranger.
const outsiders: readonly Role[] = ['stranger', 'moderator', 'blocked', 'removed', 'friend']
const ordinary: readonly Role[] = ['member']
const notOwner: readonly Role[] = ['member', 'admin']

/** Whoever is signed in. */
export function everybody(expected: Expected, but: Partial<Table> = {}): Table {
  return { ...table((role) => (role === 'anonymous' ? 'NOT_AUTHENTICATED' : expected)), ...but }
}

/** Also whoever is not. */
export function anybody(expected: Expected): Table {
  return table(() => expected)
}

/** Members of the group; to the others it is closed. */
export function members(expected: Expected, but: Partial<Table> = {}): Table {
  const inside = table((role) => (outsiders.includes(role) ? 'NOT_A_MEMBER' : expected))
  return { ...inside, anonymous: 'NOT_AUTHENTICATED', ...but }
}

/** Its owner and admins. */
export function admins(expected: Expected): Table {
  return members(expected, Object.fromEntries(ordinary.map((role) => [role, 'ROLE_REQUIRED'])))
}

/** Its owner alone. */
export function ownerAlone(expected: Expected, refusal: ProblemCode = 'ROLE_REQUIRED'): Table {
  return members(expected, Object.fromEntries(notOwner.map((role) => [role, refusal])))
}

/** Whoever has been given the role of a moderator. */
export function moderators(expected: Expected): Table {
  return everybody('ACCOUNT_ROLE_REQUIRED', { moderator: expected })
}

/** Only whose it is; the others are told that it is not there. */
export function ownersOnly(expected: Expected, others: ProblemCode): Table {
  return everybody(others, { owner: expected })
}
