import type { Tx } from '../../infrastructure/mysql.ts'
import { folderOf } from './file.ts'

/** Schedules the deletion of an object, or with a slash at the end of its key of all below it. */
export async function doom(
  tx: Pick<Tx, 'doomedObject'>,
  objectKey: string,
  uploadId: string | null = null,
): Promise<void> {
  await tx.doomedObject.create({ data: { objectKey, uploadId, createdAt: new Date() } })
}

/** Schedules the deletion of all objects of a file. */
export function doomFolder(tx: Tx, fileId: string): Promise<void> {
  return doom(tx, folderOf(fileId))
}
