import type { ObjectStore } from '../../infrastructure/object-store.ts'
import type { DoomedObjects } from './doomed-objects.repository.ts'
import type { FileRepository } from './file.repository.ts'

const BATCH = 50

/** Removes expired files, and objects scheduled for deletion. Idempotent and safe to run concurrently. */
export async function sweepFiles(
  { files, doomedObjects }: { files: FileRepository; doomedObjects: DoomedObjects },
  store: ObjectStore,
): Promise<void> {
  while ((await files.sweepExpired()) > 0);
  for (;;) {
    const doomed = await doomedObjects.list(BATCH)
    for (const { id, objectKey, uploadId } of doomed) {
      if (uploadId !== null) await store.abortParts(objectKey, uploadId)
      else for (const key of await keysOf(store, objectKey)) await store.delete(key)
      await doomedObjects.remove(id)
    }
    if (doomed.length < BATCH) return
  }
}

async function keysOf(store: ObjectStore, objectKey: string): Promise<string[]> {
  return objectKey.endsWith('/') ? store.list(objectKey) : [objectKey]
}
