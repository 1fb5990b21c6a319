import type { Mysql } from '../../infrastructure/mysql.ts'
import type { FileRemoval } from '../files/file-removal.repository.ts'
import type { FileUses } from '../files/file-uses.repository.ts'
import type { TakeRepository } from '../practice/take.repository.ts'

interface ShownPicture {
  readonly userId: number
  readonly fileId: string
}

export interface OwnedFilesDependencies {
  readonly mysql: Mysql
  readonly files: Pick<FileRemoval, 'eraseOwner'>
  readonly takes: Pick<TakeRepository, 'eraseOwner'>
  readonly uses: Pick<FileUses, 'showInProfile'>
}

/** The owners of files and recordings, for comparing them with the accounts. */
export class OwnedFiles {
  readonly #stores: OwnedFilesDependencies

  constructor(stores: OwnedFilesDependencies) {
    this.#stores = stores
  }

  /** Returns the owners of files and recordings; files of erased accounts have the owner 0. */
  async ownerIds(): Promise<Set<number>> {
    const where = { ownerId: { not: 0 } }
    const rows = await this.#stores.mysql.run('fileOwners', async (db) => [
      ...(await db.file.groupBy({ by: ['ownerId'], where })),
      ...(await db.take.groupBy({ by: ['ownerId'], where })),
    ])
    return new Set(rows.map(({ ownerId }) => Number(ownerId)))
  }

  /** Erases an account like UserDeleted does; messages keep their files. */
  async erase(userId: number): Promise<void> {
    const { mysql, files, takes } = this.#stores
    await mysql.transaction('eraseUnknownOwner', async (tx) => {
      await files.eraseOwner(tx, userId, 'keep')
      await takes.eraseOwner(tx, userId)
    })
  }

  /** Returns the existing pictures that are not recorded as used by their owner's profile. */
  async unusedPictures(shown: readonly ShownPicture[]): Promise<ShownPicture[]> {
    const ids = shown.map(({ fileId }) => fileId)
    const rows = await this.#stores.mysql.run('usedPictures', (db) =>
      db.file.findMany({
        where: { id: { in: ids }, purpose: 'avatar' },
        select: { id: true, ownerId: true, uses: { select: { messageId: true } } },
      }),
    )
    const unused = rows.filter(
      ({ ownerId, uses }) => !uses.some(({ messageId }) => messageId === `profile:${ownerId}`),
    )
    const byId = new Map(unused.map(({ id, ownerId }) => [id, Number(ownerId)]))
    return shown.filter(({ userId, fileId }) => byId.get(fileId) === userId)
  }

  /** Records the use of a profile picture, so that it does not expire. */
  async showPicture(userId: number, fileId: string): Promise<void> {
    const { mysql, uses } = this.#stores
    await mysql.transaction('useProfilePicture', (tx) => uses.showInProfile(tx, userId, fileId))
  }
}
