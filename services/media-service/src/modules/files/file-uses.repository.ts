import type { PicturePurpose } from '@bigtech/contracts'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Tx } from '../../infrastructure/mysql.ts'

/** Grace period for a message being forwarded while the last other message with the file is deleted. */
const GRACE_SECONDS = 60

/** Where files are shown: messages, profiles and rooms. A file in use is kept. */
export class FileUses {
  /** Records that a message shows the file. */
  async addUse(tx: Tx, use: { fileId: string; messageId: string; roomId: number }): Promise<void> {
    const { fileId, messageId, roomId } = use
    // Raw: a single statement inserts nothing when the file is gone.
    await tx.$executeRaw`
      INSERT IGNORE INTO file_uses (file_id, message_id, room_id)
      SELECT id, ${messageId}, ${roomId} FROM files WHERE id = ${fileId}`
    await tx.file.updateMany({ where: { id: fileId }, data: { expiresAt: null } })
  }

  /** Removes uses; an unused file is deleted after the grace period. */
  async removeUses(tx: Tx, where: { messageId: string } | { roomId: number }): Promise<void> {
    const uses = await tx.fileUse.findMany({ where, select: { fileId: true } })
    if (uses.length === 0) return
    await tx.fileUse.deleteMany({ where })
    const ids = Prisma.join([...new Set(uses.map(({ fileId }) => fileId))])
    // Raw: uses the database's clock, like the sweep.
    await tx.$executeRaw`
      UPDATE files SET expires_at = UTC_TIMESTAMP(3) + INTERVAL ${GRACE_SECONDS} SECOND
      WHERE id IN (${ids}) AND NOT EXISTS (SELECT 1 FROM file_uses WHERE file_id = files.id)`
  }

  /** Removes the profile picture of a deleted account. */
  removeFromProfile(tx: Tx, userId: number): Promise<void> {
    return this.removeUses(tx, { messageId: profileUse(userId) })
  }

  /** Records the user's profile picture in place of earlier ones. Undefined: no picture. */
  showInProfile(tx: Tx, userId: number, fileId: string | undefined): Promise<void> {
    const use = { messageId: profileUse(userId), roomId: 0 }
    return this.#showPicture(tx, use, fileId && { id: fileId, ownerId: userId, purpose: 'avatar' })
  }

  /** Like `showInProfile`, for a room. Chat-service accepts only pictures of the user who sets them. */
  showInRoom(tx: Tx, roomId: number, fileId: string | undefined): Promise<void> {
    const use = { messageId: `room:${roomId}`, roomId }
    return this.#showPicture(tx, use, fileId && { id: fileId, purpose: 'room_picture' })
  }

  async #showPicture(
    tx: Tx,
    use: { messageId: string; roomId: number },
    picture: { id: string; ownerId?: number; purpose: PicturePurpose } | '' | undefined,
  ): Promise<void> {
    const { messageId } = use
    const shown = await tx.fileUse.findMany({ where: { messageId }, select: { fileId: true } })
    if (picture && shown.some(({ fileId }) => fileId === picture.id)) return
    await this.removeUses(tx, { messageId })
    if (picture && (await tx.file.count({ where: picture })) > 0)
      await this.addUse(tx, { ...use, fileId: picture.id })
  }
}

const profileUse = (userId: number) => `profile:${userId}`
