import type { ObjectStore } from '../../infrastructure/object-store.ts'
import type { DoomedObjects } from './doomed-objects.repository.ts'
import type { FileRemoval } from './file-removal.repository.ts'

const BATCH = 50

/** Removes expired files, and objects scheduled for deletion. Idempotent and safe to run concurrently. */
export async function sweepFiles({
  fileRemoval,
  doomedObjects,
  objects,
}: {
  readonly fileRemoval: FileRemoval
  readonly doomedObjects: DoomedObjects
  readonly objects: ObjectStore
}): Promise<void> {
  const hasWork = await Promise.all([fileRemoval.hasExpired(), doomedObjects.exist()])
  if (!hasWork.includes(true)) return
  while ((await fileRemoval.sweepExpired()) > 0);
  for (;;) {
    const doomed = await doomedObjects.list(BATCH)
    for (const { id, objectKey, uploadId } of doomed) {
      if (uploadId !== null) await objects.abortParts(objectKey, uploadId)
      else for (const key of await keysOf(objects, objectKey)) await objects.delete(key)
      await doomedObjects.remove(id)
    }
    if (doomed.length < BATCH) return
  }
}

async function keysOf(store: ObjectStore, objectKey: string): Promise<string[]> {
  return objectKey.endsWith('/') ? store.list(objectKey) : [objectKey]
}
