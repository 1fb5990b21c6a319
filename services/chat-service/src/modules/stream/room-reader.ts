import { toChange, toRecord } from '../messages/documents.ts'
import type { MessageRecord } from '../messages/message.ts'
import type { MessagesForStreams } from '../messages/messages.module.ts'
import type { RoomPosition } from '../messages/room-positions.ts'
import type { AppliedChange } from '../messages/room-updates.ts'

const PAGE = 200

/**
 * What a room's logs have beyond a position, a page of each. Changes are read first and given last:
 * the message of every change seen is then delivered before it.
 */
export async function readRoom(
  { repository, projection }: Pick<MessagesForStreams, 'repository' | 'projection'>,
  roomId: number,
  position: RoomPosition,
): Promise<{ messages: MessageRecord[]; changes: AppliedChange[]; complete: boolean }> {
  const changeDocs = await repository.changes.after(roomId, position.cseq, PAGE)
  const messages = (await repository.messages.after(roomId, position.seq, PAGE)).map(toRecord)
  const newest = messages.at(-1)?.seq ?? position.seq
  const changed = await projection.load([...new Set(changeDocs.map(({ message_id }) => message_id))])
  const changes: AppliedChange[] = []
  for (const doc of changeDocs) {
    const message = changed.get(doc.message_id)
    // Its message is on a later page: it comes with that.
    if (!message || message.seq > newest) break
    const { cseq, at, body } = toChange(doc)
    changes.push({ cseq, at, kind: body.kind, message })
  }
  const complete = messages.length < PAGE && changeDocs.length < PAGE && changes.length === changeDocs.length
  return { messages, changes, complete }
}
