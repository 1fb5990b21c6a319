import type { StreamFrame } from './frames.ts'

const MAX_WAITING = 1_000

/** Buffered frames of one `for await` loop. */
export class FrameQueue {
  readonly #frames: StreamFrame[] = []
  #wake: (() => void) | undefined
  #onRoom: (() => void)[] = []
  #ended = false

  push(frame: StreamFrame): void {
    if (this.#ended) return
    this.#frames.push(frame)
    this.#wake?.()
  }

  /** Resolves when the consumer has caught up. */
  async room(): Promise<void> {
    if (this.#ended || this.#frames.length < MAX_WAITING) return
    await new Promise<void>((resolve) => this.#onRoom.push(resolve))
  }

  async next(): Promise<IteratorResult<StreamFrame, undefined>> {
    while (this.#frames.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const frame = this.#frames.shift()
    for (const resolve of this.#onRoom.splice(0)) resolve()
    return frame ? { done: false, value: frame } : { done: true, value: undefined }
  }

  end(): void {
    this.#ended = true
    this.#wake?.()
    for (const resolve of this.#onRoom.splice(0)) resolve()
  }
}
