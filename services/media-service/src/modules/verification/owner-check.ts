import { fileIdOfPicture } from '@bigtech/contracts'
import type { Fact, Finding } from '@bigtech/service-kit'
import type { OwnedFiles } from './owned-files.repository.ts'

const BATCH = 500

/** Compares the owners of files and recordings, and the use of profile pictures, with user-service. */
export async function checkOwners(
  owned: Pick<OwnedFiles, 'ownerIds' | 'erase' | 'unusedPictures' | 'showPicture'>,
  facts: AsyncIterable<Fact>,
  { fix }: { readonly fix: boolean },
): Promise<Finding[]> {
  const findings: Finding[] = []
  const unknown = await owned.ownerIds()
  const deleted: number[] = []
  let pictures: { userId: number; fileId: string }[] = []
  const checkPictures = async () => {
    for (const { userId, fileId } of await owned.unusedPictures(pictures)) {
      if (fix) await owned.showPicture(userId, fileId)
      const detail = `shows the picture ${fileId}, which is not recorded as used`
      findings.push({ subject: `user ${userId}`, detail, isFixed: fix })
    }
    pictures = []
  }
  for await (const { kind, ids, fields } of facts) {
    if (kind !== 'user') continue
    const userId = ids[0] as number
    const isOwner = unknown.delete(userId)
    if (isOwner && fields.deleted === true) deleted.push(userId)
    if (fields.deleted === true) continue
    const fileId = fileIdOfPicture(String(fields.profile_image_url ?? ''))
    if (fileId !== undefined) pictures.push({ userId, fileId })
    if (pictures.length === BATCH) await checkPictures()
  }
  await checkPictures()
  for (const userId of deleted) {
    if (fix) await owned.erase(userId)
    findings.push({ subject: `user ${userId}`, detail: 'is deleted, but owns files', isFixed: fix })
  }
  // Never erased: the list of accounts may be incomplete, and the bytes cannot be restored.
  for (const userId of unknown)
    findings.push({ subject: `user ${userId}`, detail: 'owns files, but has no account', isFixed: false })
  return findings
}
