import { uniqueName, waitFor } from '@bigtech/testkit'
import { expect } from 'vitest'
import { http, newPerson, password, signIn, stack } from '../../e2e/stack.ts'
import { anybody, everybody, type Made, ownersOnly, type Row } from './row.ts'
import type { Role, Scene } from './scene.ts'

const few: readonly Role[] = ['anonymous', 'owner']
const personOf = (scene: Scene, role: Role) => scene.people[role === 'anonymous' ? 'owner' : role]
const credential = { id: 'AA', rawId: 'AA', type: 'public-key' }
/** Blocked people do not find whoever blocked them. */
const hides = (role: Role) => role === 'blocked'

const asMade = (_scene: Scene, _role: Role, { token }: Made) => ({ token })

/** Creates a user whose archive is ready. */
async function newArchive() {
  const person = await newPerson()
  const url = `${stack.user}/profile/me/export`
  await http('POST', url, { token: person.token })
  await waitFor(async () => (await http('GET', url, { token: person.token })).body.state === 'ready', {
    what: 'the archive',
    timeoutMs: 30_000,
  })
  return person
}

export const userRows: readonly Row[] = [
  {
    operationId: 'registerUser',
    callers: few,
    table: anybody(201),
    request: () => ({
      body: { email: `${uniqueName('m')}@example.com`, username: uniqueName('m'), password },
    }),
  },
  {
    operationId: 'startRegistration',
    callers: few,
    table: anybody(202),
    request: () => ({
      body: { email: `${uniqueName('m')}@example.com`, username: uniqueName('m'), password },
    }),
  },
  {
    operationId: 'getRegistration',
    callers: few,
    table: anybody(200),
    once: async () => {
      const json = { email: `${uniqueName('m')}@example.com`, username: uniqueName('m'), password }
      return (await http('POST', `${stack.user}/auth/registrations`, { json })).body
    },
    request: (_scene, _role, { registration_id }) => ({ params: { registration_id } }),
  },
  {
    operationId: 'loginWithJson',
    callers: few,
    table: anybody(200),
    request: (scene, role) => ({ body: { email: personOf(scene, role).email, password } }),
  },
  { operationId: 'listSignInProviders', callers: few, table: anybody(200) },
  { operationId: 'createGoogleNonce', callers: few, table: anybody(200) },
  {
    operationId: 'loginWithGoogle',
    callers: few,
    table: anybody(401),
    request: () => ({ body: { id_token: 'not-a-token' } }),
  },
  {
    operationId: 'login',
    callers: few,
    table: anybody(200),
    request: (scene, role) => ({ body: { username: personOf(scene, role).username, password } }),
  },
  {
    operationId: 'completeLogin',
    table: anybody('CHALLENGE_INVALID'),
    request: () => ({ body: { challenge_token: 'not-a-challenge', code: '123456' } }),
  },
  { operationId: 'startPasskeyLogin', table: anybody(200) },
  {
    operationId: 'loginWithPasskey',
    table: anybody('CHALLENGE_INVALID'),
    request: () => ({
      body: {
        challenge_token: 'not-a-challenge',
        credential: {
          ...credential,
          response: { clientDataJSON: 'e30', authenticatorData: 'AA', signature: 'AA' },
        },
      },
    }),
  },
  { operationId: 'getSecondFactors', table: everybody(200) },
  { operationId: 'startTotp', callers: few, table: everybody(200), request: () => ({ body: { password } }) },
  {
    operationId: 'confirmTotp',
    table: everybody('SECOND_FACTOR_WRONG'),
    request: () => ({ body: { code: '000000' } }),
  },
  {
    operationId: 'disableTotp',
    callers: few,
    table: everybody(204),
    request: () => ({ body: { password } }),
  },
  {
    operationId: 'replaceRecoveryCodes',
    table: everybody('TOTP_NOT_ENABLED'),
    request: () => ({ body: { password } }),
  },
  {
    operationId: 'startPasskey',
    callers: few,
    table: everybody(200),
    request: () => ({ body: { password } }),
  },
  {
    operationId: 'addPasskey',
    table: everybody('CHALLENGE_INVALID'),
    request: () => ({
      body: {
        challenge_token: 'not-a-challenge',
        name: 'phone',
        credential: { ...credential, response: { clientDataJSON: 'e30', attestationObject: 'AA' } },
      },
    }),
  },
  {
    operationId: 'removePasskey',
    callers: few,
    table: everybody('PASSKEY_NOT_FOUND'),
    request: () => ({ params: { passkey_id: crypto.randomUUID() }, body: { password } }),
  },
  {
    operationId: 'endReportedSession',
    table: anybody('LINK_INVALID'),
    request: () => ({ body: { token: 'a.b.c' } }),
  },
  {
    operationId: 'refreshSession',
    table: anybody(200),
    // The previous token gives the same successor: nobody is signed out by it.
    request: (scene, role) => ({ body: { refresh_token: personOf(scene, role).refreshToken } }),
  },
  {
    operationId: 'logout',
    callers: few,
    table: everybody(204),
    once: async ({ people }) => signIn(people.owner.email),
    request: (_scene, _role, made) => ({ token: made.token }),
  },
  {
    operationId: 'logoutAll',
    table: everybody(200),
    request: () => ({ body: { except_current: true } }),
  },
  { operationId: 'listSessions', table: everybody(200) },
  { operationId: 'listMyActivities', table: everybody(200) },
  {
    operationId: 'revokeSession',
    table: ownersOnly(204, 'SESSION_NOT_FOUND'),
    once: async ({ people }) => signIn(people.owner.email),
    request: (_scene, _role, { sessionId }) => ({ params: { session_id: sessionId } }),
  },
  {
    operationId: 'changePassword',
    callers: few,
    table: everybody('PASSWORD_WRONG'),
    request: () => ({ body: { current_password: 'not this one', new_password: 'Better5678#$' } }),
  },
  {
    operationId: 'changePassword',
    callers: few,
    when: 'the password is known',
    table: everybody(204),
    request: () => ({ body: { current_password: password, new_password: password } }),
  },
  {
    operationId: 'requestEmailVerification',
    callers: few,
    table: everybody(202),
  },
  {
    operationId: 'confirmEmail',
    table: anybody('LINK_INVALID'),
    request: () => ({ body: { token: 'a.b.c' } }),
  },
  {
    operationId: 'changeEmail',
    callers: few,
    table: everybody('PASSWORD_WRONG'),
    request: () => ({ body: { email: `${uniqueName('m')}@example.com`, password: 'not this one' } }),
  },
  {
    operationId: 'changeEmail',
    callers: few,
    when: 'the password is known',
    table: everybody(202),
    once: async () => newPerson(),
    request: (_scene, _role, made) => ({
      token: made.token,
      body: { email: `${uniqueName('m')}@example.com`, password },
    }),
  },
  {
    operationId: 'undoEmailChange',
    table: anybody('LINK_INVALID'),
    request: () => ({ body: { token: 'a.b.c' } }),
  },
  {
    operationId: 'forgotPassword',
    callers: few,
    table: anybody(202),
    request: () => ({ body: { email: `${uniqueName('m')}@example.com` } }),
  },
  {
    operationId: 'resetPassword',
    table: anybody('LINK_INVALID'),
    request: () => ({ body: { token: 'a.b.c', new_password: 'Better5678#$' } }),
  },
  {
    operationId: 'changeUsername',
    callers: few,
    table: everybody('USERNAME_TAKEN'),
    request: () => ({ body: { username: 'admin' } }),
  },
  {
    operationId: 'changeUsername',
    callers: few,
    when: 'the username is free',
    table: everybody(200),
    once: async () => newPerson(),
    request: (_scene, _role, made) => ({
      token: made.token,
      body: { username: uniqueName('n').slice(0, 20) },
    }),
  },
  {
    operationId: 'issueAccountLink',
    table: anybody('LINK_INVALID'),
    request: () => ({ params: { link_id: crypto.randomUUID() } }),
    missing: { link_id: 'VALIDATION_FAILED' },
  },
  {
    operationId: 'getJwks',
    table: anybody(200),
    check: ({ body }) => expect(JSON.stringify(body)).not.toMatch(/"d"/),
  },
  {
    operationId: 'getRevocations',
    table: anybody(200),
    request: () => ({ query: { since: new Date().toISOString() } }),
  },
  {
    operationId: 'getMyProfile',
    table: everybody(200),
    check: ({ body }, scene, role) => expect(body.user_id).toBe(personOf(scene, role).id),
  },
  {
    operationId: 'updateMyProfile',
    table: everybody(200),
    request: () => ({ body: { status_message: '휴가' } }),
  },
  { operationId: 'getMySettings', table: everybody(200) },
  { operationId: 'updateMySettings', table: everybody(200), request: () => ({ body: { locale: 'ko' } }) },
  {
    operationId: 'getDataExport',
    callers: few,
    table: everybody('EXPORT_NOT_FOUND'),
    once: async () => newPerson(),
    request: asMade,
  },
  {
    operationId: 'getDataExport',
    callers: few,
    when: 'an archive is ready',
    table: everybody(200),
    once: newArchive,
    request: asMade,
  },
  {
    operationId: 'sendDataExportLink',
    callers: few,
    table: everybody('EXPORT_NOT_FOUND'),
    once: async () => newPerson(),
    request: asMade,
  },
  {
    operationId: 'sendDataExportLink',
    callers: few,
    when: 'an archive is ready',
    table: everybody(202),
    once: newArchive,
    request: asMade,
  },
  {
    operationId: 'downloadDataExport',
    table: everybody('LINK_INVALID'),
    request: () => ({ body: { token: 'eyJhbGciOiJFZERTQSJ9.eyJqdGkiOiI1ZjBjIn0.c2lnbmF0dXJl' } }),
  },
  { operationId: 'requestDataExport', callers: few, table: everybody(202) },
  {
    operationId: 'deleteMyAccount',
    callers: few,
    table: everybody('PASSWORD_WRONG'),
    request: () => ({ body: { password: 'not this one' } }),
  },
  {
    operationId: 'deleteMyAccount',
    callers: few,
    when: 'the password is known',
    table: everybody(202),
    once: async () => newPerson(),
    request: (_scene, _role, made) => ({ token: made.token, body: { password } }),
  },
  {
    operationId: 'getDeletion',
    table: anybody(200),
    once: async () => {
      const { token } = await newPerson()
      const { body } = await http('DELETE', `${stack.user}/profile/me`, { token, json: { password } })
      return body
    },
    request: (_scene, _role, { deletion_id }) => ({ params: { deletion_id } }),
  },
  {
    operationId: 'searchUsers',
    table: everybody(200),
    request: ({ people }) => ({ query: { q: people.owner.username } }),
    check: ({ body }, { people }, role) =>
      expect(body.items.map((item: { user_id: number }) => item.user_id)).toEqual(
        hides(role) ? [] : [people.owner.id],
      ),
  },
  {
    operationId: 'getUsers',
    table: everybody(200),
    request: ({ people }) => ({ query: { user_ids: `${people.owner.id},999999999` } }),
    check: ({ body }, _scene, role) => expect(body.items.length).toBe(hides(role) ? 0 : 1),
  },
  {
    operationId: 'getUser',
    table: everybody(200, { blocked: 'USER_NOT_FOUND' }),
    request: ({ people }) => ({ params: { user_id: people.owner.id } }),
  },
  { operationId: 'sendHeartbeat', table: everybody(200), request: () => ({ body: { state: 'online' } }) },
  {
    operationId: 'getPresence',
    table: everybody(200),
    request: ({ people }) => ({ query: { user_ids: `${people.owner.id}` } }),
    check: ({ body }, _scene, role) =>
      expect(body.items[0]?.online ?? null).toBe(['friend', 'owner'].includes(role) ? true : null),
  },
]
