import { describe, expect, it } from 'vitest'
import { maySeePresence, type PresenceVisibility } from './presence.ts'

const levels: PresenceVisibility[] = ['everyone', 'friends', 'nobody']
const all = levels.flatMap((owner) => levels.map((viewer) => [owner, viewer] as const))
const relation = (owner: PresenceVisibility, viewer: PresenceVisibility, friends: boolean) => ({
  isSelf: false,
  blocked: false,
  friends,
  restricted: false,
  ownerVisibility: owner,
  viewerVisibility: viewer,
})

describe('presence privacy', () => {
  it.each(all)('presence is reciprocal for the settings %s and %s', (owner, viewer) => {
    for (const friends of [true, false]) {
      expect(maySeePresence(relation(owner, viewer, friends))).toBe(
        maySeePresence(relation(viewer, owner, friends)),
      )
    }
  })

  it.each(all)('presence follows the stricter of %s and %s', (owner, viewer) => {
    const strictest = levels[Math.max(levels.indexOf(owner), levels.indexOf(viewer))]
    expect(maySeePresence(relation(owner, viewer, false))).toBe(strictest === 'everyone')
    expect(maySeePresence(relation(owner, viewer, true))).toBe(strictest !== 'nobody')
  })

  it.each(all)(
    'presence is hidden across a block or a restriction, and never from oneself (%s, %s)',
    (owner, viewer) => {
      expect(maySeePresence({ ...relation(owner, viewer, true), blocked: true })).toBe(false)
      expect(maySeePresence({ ...relation(owner, viewer, true), restricted: true })).toBe(false)
      expect(maySeePresence({ ...relation(owner, viewer, false), isSelf: true })).toBe(true)
    },
  )
})
