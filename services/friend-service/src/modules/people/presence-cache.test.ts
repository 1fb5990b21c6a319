import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { PresenceCache } from './presence-cache.ts'

const viewer = 1
const friend = 2

function startCache() {
  const clock = { ms: 0 }
  const cache = new PresenceCache(new Registry(), () => clock.ms)
  const ask = (online: boolean | null) => {
    const keep = cache.expect(viewer, [friend])
    return () => keep([{ user_id: friend, online, last_seen_at: null }])
  }
  const cached = () => cache.findMany(viewer, [friend]).get(friend)?.online
  return { cache, clock, ask, cached }
}

describe('the cache of presence', () => {
  it('the cache of presence returns a response until the user goes online or offline', () => {
    const { cache, ask, cached } = startCache()
    ask(true)()
    expect(cached()).toBe(true)
    cache.statusChanged(friend)
    expect(cached()).toBeUndefined()
  })

  it.each(['status', 'visibility'] as const)(
    'the cache of presence keeps no response that was requested before an event (%s)',
    (what) => {
      const { cache, ask, cached } = startCache()
      const answer = ask(true)
      if (what === 'status') cache.statusChanged(friend)
      else cache.visibilityChanged(viewer)
      answer()
      expect(cached()).toBeUndefined()
    },
  )

  it('the cache of presence forgets what a user sees of others once the user hides presence', () => {
    const { cache, ask, cached } = startCache()
    ask(true)()
    cache.visibilityChanged(viewer)
    expect(cached()).toBeUndefined()
  })

  it('the cache of presence keeps what a user sees of others when the user goes online', () => {
    const { cache, ask, cached } = startCache()
    ask(true)()
    cache.statusChanged(viewer)
    expect(cached()).toBe(true)
  })

  it('the cache of presence returns nothing of one viewer to another', () => {
    const { cache, ask } = startCache()
    ask(true)()
    expect(cache.findMany(viewer + 10, [friend]).size).toBe(0)
  })

  it('the cache of presence forgets a response after a minute, in case an event is lost', () => {
    const { clock, ask, cached } = startCache()
    ask(true)()
    clock.ms = 59_999
    expect(cached()).toBe(true)
    clock.ms = 60_000
    expect(cached()).toBeUndefined()
  })

  it('the cache of presence asks again after 5 s whether a user is still hidden', () => {
    const { clock, ask, cached } = startCache()
    ask(null)()
    clock.ms = 4_999
    expect(cached()).toBeNull()
    clock.ms = 5_000
    expect(cached()).toBeUndefined()
  })
})
