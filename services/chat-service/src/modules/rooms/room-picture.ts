import { pictureUrlOf } from '@bigtech/contracts'
import { type AuthenticatedContext, Problem } from '@bigtech/service-kit'

/** media-service, which has the bytes. */
export interface RoomPictures {
  /**
   * Keeps an uploaded room picture of the caller for a room.
   * @throws Problem FILE_NOT_FOUND, FILE_NOT_READY, FILE_KIND_MISMATCH; StoreUnavailable
   */
  claimPicture(ctx: AuthenticatedContext, fileId: string): Promise<void>
}

/**
 * Claims a picture before the room is locked, so that no row waits for media-service. Returns its address, null for none,
 * undefined for no change; and, with the address of a picture that cannot be claimed, the reason.
 */
export async function claimRoomPicture(
  pictures: RoomPictures,
  ctx: AuthenticatedContext,
  fileId: string | null | undefined,
): Promise<{ url: string | null | undefined; refusal?: Problem }> {
  if (!fileId) return { url: fileId === undefined ? undefined : null }
  const url = pictureUrlOf(fileId)
  try {
    await pictures.claimPicture(ctx, fileId)
    return { url }
  } catch (err) {
    if (err instanceof Problem) return { url, refusal: err }
    throw err
  }
}
