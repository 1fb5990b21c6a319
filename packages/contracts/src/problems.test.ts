import { expect, it } from 'vitest'
import { accountProblems } from './problems/accounts.ts'
import { friendProblems } from './problems/friends.ts'
import { mediaProblems } from './problems/media.ts'
import { moderationProblems } from './problems/moderation.ts'
import { notificationProblems } from './problems/notifications.ts'
import { roomProblems } from './problems/rooms.ts'
import { sharedProblems } from './problems/shared.ts'
import { problems } from './problems.ts'

it('no error code is defined in two contexts, because the later one would silently replace the earlier', () => {
  const tables = [
    sharedProblems,
    accountProblems,
    friendProblems,
    roomProblems,
    notificationProblems,
    moderationProblems,
    mediaProblems,
  ]
  const codes = tables.flatMap((table) => Object.keys(table))
  expect(codes.toSorted()).toEqual(Object.keys(problems).toSorted())
})
