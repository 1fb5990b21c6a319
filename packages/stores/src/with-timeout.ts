/**
 * Rejects when the promise has not settled after `timeoutMs`.
 * @param late name of the late operation, or the error to reject with
 */
export async function withTimeout<Value>(
  promise: Promise<Value>,
  timeoutMs: number,
  late: string | (() => Error),
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const toError = typeof late === 'string' ? () => new Error(`${late} within ${timeoutMs} ms`) : late
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(toError()), timeoutMs)
  })
  try {
    return await Promise.race([promise, deadline])
  } finally {
    clearTimeout(timer)
  }
}
