import { createRequire } from 'node:module'
import { everyTick } from '../timing.ts'

interface RequestQueue {
  throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  readonly enforceRequestTimeout: boolean
  readonly pending: readonly unknown[]
  readonly inflight: ReadonlyMap<number, SocketRequest>
  checkPendingRequests(): void
}

interface SocketRequest {
  readonly sentAt: number
  readonly requestTimeout: number
  timeoutRequest(): void
}

const RECHECK_MS = 10
/** How late a request may time out; its time limit is 10 s, and calls have limits of their own. */
const TIMEOUT_CHECK_MS = 2_000

/**
 * Arms the timer only while a request waits. The client re-arms a timer of about 1 ms on every connection
 * forever, even when idle (measured: 229 ms of CPU per 5 s).
 */
function scheduleCheckPendingRequests(this: RequestQueue): void {
  if (this.pending.length === 0 || this.throttleCheckTimeoutId) return
  const throttledMs = this.throttledUntil - Date.now()
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null
      this.checkPendingRequests()
    },
    throttledMs > 0 ? throttledMs : RECHECK_MS,
  )
}

const connected = new Set<RequestQueue>()
let stopTimeoutCheck: (() => void) | undefined

/**
 * Checks the requests of all connections in one timer, at even seconds. The client checks every connection ten times a second, which woke
 * an idle process up to 40 times a second.
 */
function scheduleRequestTimeoutCheck(this: RequestQueue): void {
  if (!this.enforceRequestTimeout) return
  connected.add(this)
  stopTimeoutCheck ??= everyTick(TIMEOUT_CHECK_MS, timeOutRequests, () => true)
}

function timeOutRequests(): void {
  const now = Date.now()
  for (const { inflight } of connected) {
    for (const request of inflight.values()) {
      if (now - request.sentAt > request.requestTimeout) request.timeoutRequest()
    }
  }
}

function destroy(this: RequestQueue): void {
  if (this.throttleCheckTimeoutId) clearTimeout(this.throttleCheckTimeoutId)
  this.throttleCheckTimeoutId = null
  connected.delete(this)
  if (connected.size > 0) return
  stopTimeoutCheck?.()
  stopTimeoutCheck = undefined
}

const patch = { scheduleCheckPendingRequests, scheduleRequestTimeoutCheck, destroy }

/** Patches kafkajs. Must run before the first connection is opened. */
export function patchRequestQueue(): void {
  const require = createRequire(import.meta.url)
  const { prototype } = require('kafkajs/src/network/requestQueue') as { prototype: typeof patch }
  if (Object.keys(patch).some((name) => typeof prototype[name as keyof typeof patch] !== 'function')) {
    throw new Error('kafkajs has changed its request queue: revise request-queue-patch.ts')
  }
  Object.assign(prototype, patch)
}
