import { documentProcessed, type MessageFile } from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import { Problem } from '@bigtech/service-kit'
import type { Membership, MembershipReader } from '../membership/membership.ports.ts'
import type { MessageAppender } from './log/append.ts'
import type { MessageRepository } from './log/message.repository.ts'
import { draftOf } from './log/message-factory.ts'

export interface DocumentReportsDependencies {
  readonly appender: MessageAppender
  readonly repository: MessageRepository
  readonly members: MembershipReader
  readonly nameOf: (userId: number) => Promise<string>
}

/**
 * Returns the handler that posts the report on a document in the room where it was requested: as the
 * requester's reply to the message with the document, if the user may still write there. Idempotent.
 */
export function documentReportHandlers(dependencies: DocumentReportsDependencies): Subscription[] {
  const { appender, repository, members, nameOf } = dependencies
  return [
    on(documentProcessed, async ({ user_id: userId, report }, ctx) => {
      if (report === null) return 'ignored'
      const membership = await members.find(report.room_id, userId)
      if (!membership || !(await mayPost(members, membership))) return 'ignored'
      await repository.prepare()
      const draft = draftOf(
        {
          roomId: report.room_id,
          userId,
          username: await nameOf(userId),
          content: report.summary.join('\n'),
          messageType: 'file',
          clientMessageId: `report:${report.file_id}`,
          replyTo: report.message_id,
          file: fileOf(report),
        },
        ctx.requestId,
      )
      const { repeated } = await appender.append(draft)
      return repeated ? 'duplicate' : 'applied'
    }),
  ]
}

async function mayPost(members: MembershipReader, membership: Membership): Promise<boolean> {
  try {
    await members.assertMayPost(membership)
    return true
  } catch (err) {
    if (err instanceof Problem) return false
    throw err
  }
}

function fileOf(report: { file_id: string; name: string; size: number }): MessageFile {
  return {
    file_id: report.file_id,
    kind: 'document',
    name: report.name,
    mime: 'application/pdf',
    size: report.size,
    width: null,
    height: null,
    duration_ms: null,
    pages: null,
    preview: null,
    waveform: null,
    variants: ['original'],
  }
}
