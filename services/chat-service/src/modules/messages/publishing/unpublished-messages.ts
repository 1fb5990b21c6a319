import type { MessageDocument } from '../log/documents.ts'

const MAX_MESSAGES = 2_000
const MAX_CHARACTERS = 2_000_000
/** Bounds how long an event can miss a change by another process. */
const MAX_AGE_MS = 500

interface Kept {
  readonly document: MessageDocument
  readonly keptAt: number
}

/** Messages that this process has just stored, so that the relay need not read them. The oldest are dropped first. */
export class UnpublishedMessages {
  readonly #kept = new Map<string, Kept>()
  #characters = 0

  add(documents: readonly MessageDocument[]): void {
    const now = performance.now()
    for (const document of documents) {
      this.#kept.set(document._id, { document, keptAt: now })
      this.#characters += document.content.length
    }
    for (const [id, { keptAt }] of this.#kept) {
      const isFull = this.#kept.size > MAX_MESSAGES || this.#characters > MAX_CHARACTERS
      if (!isFull && keptAt >= now - MAX_AGE_MS) break
      this.delete(id)
    }
  }

  get(id: string): MessageDocument | undefined {
    const kept = this.#kept.get(id)
    return kept && kept.keptAt >= performance.now() - MAX_AGE_MS ? kept.document : undefined
  }

  delete(id: string): void {
    const kept = this.#kept.get(id)
    if (!kept) return
    this.#kept.delete(id)
    this.#characters -= kept.document.content.length
  }
}
