import { createRequire } from 'node:module'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { patchRequestQueue } from './request-queue-patch.ts'

interface Queue {
  pending: unknown[]
  inflight: Map<number, { sentAt: number; requestTimeout: number; timeoutRequest: () => void }>
  enforceRequestTimeout: boolean
  throttledUntil: number
  scheduleCheckPendingRequests(): void
  scheduleRequestTimeoutCheck(): void
  destroy(): void
}

patchRequestQueue()
const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
  prototype: object
}

function queue(pending: unknown[] = [], checked = () => {}): Queue {
  return Object.assign(Object.create(RequestQueue.prototype) as Queue, {
    pending,
    inflight: new Map(),
    enforceRequestTimeout: true,
    throttledUntil: -1,
    throttleCheckTimeoutId: null,
    checkPendingRequests: checked,
  })
}

describe('RequestQueue patch', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('the patched request queue arms no timer while no request waits', () => {
    queue().scheduleCheckPendingRequests()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('the patched request queue arms exactly one timer while a request waits', () => {
    const checked = vi.fn()
    const busy = queue([{}], checked)
    busy.scheduleCheckPendingRequests()
    busy.scheduleCheckPendingRequests()
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(10)
    expect(checked).toHaveBeenCalledOnce()
  })

  it('the patched request queue waits until the broker stops throttling', () => {
    const checked = vi.fn()
    const throttled = queue([{}], checked)
    throttled.throttledUntil = Date.now() + 300
    throttled.scheduleCheckPendingRequests()
    vi.advanceTimersByTime(299)
    expect(checked).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(checked).toHaveBeenCalledOnce()
  })

  it('the patched request queues of all connections time their requests out with one timer, within 2 s', () => {
    const queues = [queue(), queue()]
    const timedOut = vi.fn()
    for (const [id, each] of queues.entries()) {
      each.scheduleRequestTimeoutCheck()
      each.inflight.set(id, {
        sentAt: Date.now(),
        requestTimeout: 10_000,
        timeoutRequest: () => timedOut(id),
      })
    }
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(10_000)
    expect(timedOut).not.toHaveBeenCalled()
    for (let ms = 0; ms < 2_010 && timedOut.mock.calls.length === 0; ms += 10) vi.advanceTimersByTime(10)
    expect(timedOut.mock.calls).toEqual([[0], [1]])
    for (const each of queues) each.destroy()
    expect(vi.getTimerCount()).toBe(0)
  })
})
