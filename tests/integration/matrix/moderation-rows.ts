import { expect } from 'vitest'
import { newPerson, stack } from '../../e2e/stack.ts'
import { everybody, members, moderators, ownersOnly, type Row } from './row.ts'
import type { Scene } from './scene.ts'

/** A report by the owner about somebody new, since a decision ends it. */
async function newReport({ as }: Scene): Promise<{ id: number }> {
  const { id } = await newPerson()
  const { body } = await as('owner')('POST', `${stack.user}/moderation/reports`, {
    user_id: id,
    reason: 'spam',
  })
  return { id: body.report_id }
}

const ofReport = (_scene: Scene, _role: unknown, { id }: { id: number }) => ({ params: { report_id: id } })

export const moderationRows: readonly Row[] = [
  {
    operationId: 'reportUser',
    // To the blocked one the account does not exist.
    table: everybody(201, { blocked: 'USER_NOT_FOUND', owner: 'REPORT_SELF' }),
    request: ({ people }) => ({ body: { user_id: people.owner.id, reason: 'spam' } }),
  },
  {
    operationId: 'reportUser',
    when: 'it is a message',
    table: members(201, { owner: 'REPORT_SELF' }),
    request: ({ messageId }) => ({ body: { message_id: messageId, reason: 'spam' } }),
  },
  { operationId: 'listReports', table: moderators(200) },
  { operationId: 'getReport', table: moderators(200), once: newReport, request: ofReport },
  {
    operationId: 'decideReport',
    table: moderators(201),
    before: newReport,
    request: (scene, role, made) => ({ ...ofReport(scene, role, made), body: { action: 'dismiss' } }),
  },
  { operationId: 'listDecisions', table: moderators(200) },
  {
    operationId: 'listModerationNotices',
    table: everybody(200),
    check: ({ body }) => expect(body.items).toEqual([]),
  },
  {
    operationId: 'acknowledgeNotice',
    table: ownersOnly(204, 'NOTICE_NOT_FOUND'),
    once: async ({ as, people }) => {
      const { body } = await as('member')('POST', `${stack.user}/moderation/reports`, {
        user_id: people.owner.id,
        reason: 'spam',
      })
      const url = `${stack.user}/moderation/reports/${body.report_id}/decisions`
      const decision = await as('moderator')('POST', url, { action: 'warn' })
      return { id: decision.body.decision_id }
    },
    request: (_scene, _role, { id }) => ({ params: { notice_id: id } }),
  },
]
