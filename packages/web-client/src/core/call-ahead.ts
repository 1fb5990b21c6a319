import type { CallOf, Operation, Session } from '@bigtech/client'

/** Calls operations as the signed-in user, and some of them before their responses are wanted. */
export class CallAhead {
  readonly #session: Pick<Session, 'call' | 'current'>
  readonly #started = new Map<string, Promise<unknown>>()

  constructor(session: Pick<Session, 'call' | 'current'>) {
    this.#session = session
  }

  /** Starts a read whose response the first equal `call` returns. */
  start<const Op extends Operation>(operation: Op, input: CallOf<Op>): void {
    const response = this.#session.call(operation, input)
    // `call` returns the failure.
    response.catch(() => undefined)
    this.#started.set(this.#keyOf(operation, input), response)
  }

  readonly call: Session['call'] = (operation, input) => {
    if (this.#started.size === 0) return this.#session.call(operation, input)
    const key = this.#keyOf(operation, input)
    const response = this.#started.get(key)
    this.#started.delete(key)
    return (
      (response as ReturnType<typeof this.call<typeof operation>>) ?? this.#session.call(operation, input)
    )
  }

  /** Drops unused responses, once the stream announces changes they do not contain. */
  forget(): void {
    this.#started.clear()
  }

  #keyOf({ method, path }: Operation, input: unknown): string {
    return `${this.#session.current?.userId} ${method} ${path} ${JSON.stringify(input)}`
  }
}
