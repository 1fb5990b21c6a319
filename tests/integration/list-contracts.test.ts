import { beforeAll, describe, expect, it } from 'vitest'
import { http, newPerson, stack } from '../e2e/stack.ts'
import { allLists, type List } from './lists.ts'
import { allOperations, type Operation, urlOf, type Values } from './operations.ts'

const names = [
  'listSessions',
  'listMyActivities',
  'getUsers',
  'searchUsers',
  'listFriendRequests',
  'listFriends',
  'listBlockedUsers',
  'listRestrictedUsers',
  'listFriendSuggestions',
  'listDeliveries',
  'listRooms',
  'listRoomMembers',
  'listJoinLinks',
  'listMessages',
  'listMessageVersions',
  'searchMessages',
  'listReports',
  'listDecisions',
  'listModerationNotices',
  'listRoomBans',
  'listRoomAudit',
] as const

let operations: ReadonlyMap<string, Operation>
let lists: ReadonlyMap<string, List>

beforeAll(async () => {
  operations = new Map((await allOperations()).map((operation) => [operation.operationId, operation]))
  lists = new Map((await allLists()).map((list) => [list.operationId, list]))
}, 120_000)

function list(name: string): List {
  return lists.get(name) as List
}

function read({ operationId, params, query, readers }: List, more: Values, reader: 0 | 1 = 0) {
  const url = urlOf(operations.get(operationId) as Operation, params, { ...query, ...more })
  return http('GET', url, { token: readers[reader].token })
}

const cursorOf = (position: unknown) => Buffer.from(JSON.stringify(position)).toString('base64url')
const notCursors = [
  'rubbish',
  '',
  'null',
  cursorOf(null),
  cursorOf({}),
  cursorOf([]),
  cursorOf({ $gt: '' }),
  cursorOf('1 OR 1=1'),
  cursorOf({ __proto__: null, id: 1e308 }),
  '%00',
]

describe('every list', () => {
  it('every list is covered by this test', () => {
    const paged = [...operations.values()].filter(({ parameters }) =>
      parameters.some(({ name }) => name === 'cursor' || name === 'limit'),
    )
    expect(paged.map(({ operationId }) => operationId).sort()).toEqual([...names].sort())
    expect([...lists.keys()].sort()).toEqual([...names].sort())
  })

  it.each(names)('%s is bounded', async (name) => {
    for (const limit of ['0', '101', 'abc', '-1', '1.5', '1e9']) {
      const { status, body } = await read(list(name), { limit })
      expect([limit, status, body.errors?.[0].field]).toEqual([limit, 422, 'limit'])
    }
    expect((await read(list(name), { limit: 100 })).status).toBe(200)
  })

  it.each(names)('%s accepts only its own cursors', async (name) => {
    for (const cursor of notCursors) {
      const { status, body } = await read(list(name), { cursor }, 1)
      expect([cursor, status, body.code]).toEqual([cursor, 422, 'CURSOR_INVALID'])
    }
    const notAscii = await read(list(name), { cursor: '\ud83d' }, 1)
    expect([notAscii.status, notAscii.body.errors?.[0].field]).toEqual([422, 'cursor'])
  })

  it.each(names)('%s returns each item once while items are added', async (name) => {
    const one = list(name)
    const { body: before } = await read(one, { limit: 100 }, 1)
    expect(before.next_cursor).toBeNull()
    expect(before.items.length).toBeGreaterThanOrEqual(5)

    const seen: unknown[] = []
    let cursor: string | null = null
    let pages = 0
    do {
      const position: Values = cursor === null ? {} : { cursor }
      const [page] = await Promise.all([
        read(one, { limit: 2, ...position }, 1),
        // While a page is read, and between two.
        pages < 3 ? one.insert(pages) : undefined,
      ])
      expect(page.status, page.text).toBe(200)
      expect(page.body.items.length).toBeLessThanOrEqual(2)
      seen.push(...page.body.items.map(one.keyOf))
      cursor = page.body.next_cursor
      pages++
    } while (cursor !== null && pages < 30)
    expect(cursor).toBeNull()
    expect(seen).toEqual([...new Set(seen)])
    const there = before.items.map(one.keyOf) as unknown[]
    expect(there.filter((key) => !seen.includes(key))).toEqual([])
    if (name !== 'listMessages') expect(seen.filter((key) => there.includes(key))).toEqual(there)
  })
})

describe.each(['/users', '/users/presence'])('GET %s', (path) => {
  it('reading several users accepts 1 to 200 ids', async () => {
    const { token } = await newPerson()
    const ids = (count: number) => Array.from({ length: count }, (_, index) => index + 1).join(',')
    const get = (userIds: string) => http('GET', `${stack.user}${path}?user_ids=${userIds}`, { token })
    expect((await get(ids(200))).status).toBe(200)
    for (const wrong of [ids(201), '', ',', 'a,b', '1,-2', '1,1.5', '9'.repeat(30), '1;DROP TABLE users']) {
      const { status, body } = await get(encodeURIComponent(wrong))
      expect([wrong, status, body.errors?.[0].field.split('.')[0]]).toEqual([wrong, 422, 'user_ids'])
    }
  })
})
