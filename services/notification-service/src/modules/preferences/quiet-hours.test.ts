import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quietUntil } from './quiet-hours.ts'

const seoul = (start: string, end: string) => ({ start, end, timeZone: 'Asia/Seoul' })
const at = (time: string) => Date.parse(time)

describe('quiet hours', () => {
  it.each([
    ['before they begin', '2026-03-01T21:59:59+09:00', undefined],
    ['when they begin', '2026-03-01T22:00:00+09:00', '2026-03-02T07:00:00+09:00'],
    ['after midnight', '2026-03-02T03:30:20+09:00', '2026-03-02T07:00:00+09:00'],
    ['in their last minute', '2026-03-02T06:59:59+09:00', '2026-03-02T07:00:00+09:00'],
    ['when they are over', '2026-03-02T07:00:00+09:00', undefined],
  ])('quiet hours across midnight: %s', (_case, now, end) => {
    expect(quietUntil(seoul('22:00', '07:00'), at(now))).toBe(end && at(end))
  })

  it('quiet hours may lie within a day', () => {
    expect(quietUntil(seoul('12:00', '13:00'), at('2026-03-01T12:30:00+09:00'))).toBe(
      at('2026-03-01T13:00:00+09:00'),
    )
    expect(quietUntil(seoul('12:00', '13:00'), at('2026-03-01T13:30:00+09:00'))).toBeUndefined()
  })

  it('quiet hours of zero length, or unset, never apply', () => {
    expect(quietUntil(seoul('12:00', '12:00'), at('2026-03-01T12:00:00+09:00'))).toBeUndefined()
    expect(quietUntil(null, Date.now())).toBeUndefined()
  })

  it('quiet hours have ended at the time returned as their end', () => {
    const time = fc
      .tuple(fc.nat(23), fc.nat(59))
      .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`)
    fc.assert(
      fc.property(time, time, fc.nat(86_400_000 * 30), (start, end, offset) => {
        const quiet = seoul(start, end)
        const until = quietUntil(quiet, at('2026-03-01T00:00:00Z') + offset)
        if (until !== undefined) expect(quietUntil(quiet, until)).toBeUndefined()
      }),
    )
  })
})
