import { createRequire } from 'node:module'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { patchRequestQueue } from './request-queue-patch.ts'

interface Queue {
  pending: unknown[]
  throttledUntil: number
  scheduleCheckPendingRequests(): void
}

patchRequestQueue()
const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
  prototype: object
}

function queue(pending: unknown[], checked: () => void): Queue {
  return Object.assign(Object.create(RequestQueue.prototype) as Queue, {
    pending,
    throttledUntil: -1,
    throttleCheckTimeoutId: null,
    checkPendingRequests: checked,
  })
}

describe('an idle connection', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('arms no timer while nothing waits', () => {
    queue([], () => {}).scheduleCheckPendingRequests()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('looks again soon while a request waits, and only once', () => {
    const checked = vi.fn()
    const busy = queue([{}], checked)
    busy.scheduleCheckPendingRequests()
    busy.scheduleCheckPendingRequests()
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(10)
    expect(checked).toHaveBeenCalledOnce()
  })

  it('waits until the broker stops throttling it', () => {
    const checked = vi.fn()
    const throttled = queue([{}], checked)
    throttled.throttledUntil = Date.now() + 300
    throttled.scheduleCheckPendingRequests()
    vi.advanceTimersByTime(299)
    expect(checked).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(checked).toHaveBeenCalledOnce()
  })
})
