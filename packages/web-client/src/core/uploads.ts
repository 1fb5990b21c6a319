import { deleteFile } from '@bigtech/client'
import { call } from './api.ts'
import type { OutgoingFile, OutgoingMessage } from './outgoing-message.ts'
import { Store } from './store.ts'

/** How much of each file has been sent by this tab, 0..1, by the id of its message. */
export const uploadProgress = new Store<ReadonlyMap<string, number>>(new Map())

/** The upload that this tab is doing. Another tab, or another run of this one, can go on with it. */
export class Uploads {
  #current: { readonly id: string; readonly cancel: AbortController } | undefined

  /**
   * Uploads the file of a message, or what is missing of it.
   *
   * @param keep stores what is known of the file so far
   * @returns the file once the server has examined it; undefined when the message was discarded meanwhile
   * @throws ApiProblem when the server refuses the file; NetworkFailure
   */
  async run(
    { clientMessageId: id }: OutgoingMessage,
    file: OutgoingFile,
    keep: (file: OutgoingFile) => Promise<void>,
  ): Promise<OutgoingFile | undefined> {
    const cancel = new AbortController()
    const { signal } = cancel
    this.#current = { id, cancel }
    try {
      const { uploadFile } = await import('./upload-file.ts')
      const fileId = await uploadFile(file, {
        signal,
        onStart: async (started) => {
          if (!signal.aborted) await keep({ ...file, fileId: started })
        },
        onProgress: (sent, total) => show(id, sent / total),
      })
      return signal.aborted ? undefined : { ...file, fileId, isReady: true }
    } catch (err) {
      if (signal.aborted) return undefined
      throw err
    } finally {
      this.#current = undefined
      show(id, undefined)
    }
  }

  /** Stops the upload of a message that is no longer in the outbox. */
  keepOnly(items: readonly OutgoingMessage[]): void {
    const { id, cancel } = this.#current ?? {}
    if (!items.some(({ clientMessageId }) => clientMessageId === id)) cancel?.abort()
  }

  stop(): void {
    this.#current?.cancel.abort()
  }

  /** Frees what a discarded message has taken of the user's storage; the server would do so after a day. */
  forget({ file }: OutgoingMessage): void {
    if (file?.fileId) call(deleteFile, { params: { file_id: file.fileId } }).catch(() => undefined)
  }
}

function show(id: string, fraction: number | undefined): void {
  uploadProgress.update((before) => {
    const after = new Map(before)
    if (fraction === undefined) after.delete(id)
    else after.set(id, fraction)
    return after
  })
}
