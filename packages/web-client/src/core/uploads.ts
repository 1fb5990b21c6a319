import { deleteFile } from '@bigtech/client'
import { call } from './api.ts'
import type { OutgoingFile, OutgoingMessage } from './outgoing-message.ts'
import { Store } from './store.ts'

/** Upload progress of this tab, 0..1, by message id. */
export const uploadProgress = new Store<ReadonlyMap<string, number>>(new Map())

/** The upload in progress in this tab. Another tab, or a later run, can resume it. */
export class Uploads {
  #current: { readonly id: string; readonly cancel: AbortController } | undefined

  /**
   * Uploads the file of a message, or its missing parts.
   *
   * @param keep stores the state of the upload
   * @returns the file once the server has examined it; undefined when the message was discarded in the
   * meantime
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

  /** Cancels uploads of messages no longer in the outbox. */
  keepOnly(items: readonly OutgoingMessage[]): void {
    const { id, cancel } = this.#current ?? {}
    if (!items.some(({ clientMessageId }) => clientMessageId === id)) cancel?.abort()
  }

  stop(): void {
    this.#current?.cancel.abort()
  }

  /** Frees the storage quota of a discarded message immediately; the server would do so after a day. */
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
