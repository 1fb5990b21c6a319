import { describe, expect, it } from 'vitest'
import { dayOf, daysBetween, firstCoveredDay, hourOf, isoDay, totalsOf } from './stats.ts'

const day = (text: string) => new Date(`${text}T00:00:00.000Z`)

describe('days and hours', () => {
  it('days and hours are in UTC', () => {
    const moment = new Date('2026-03-01T23:59:59.999Z')
    expect(dayOf(moment)).toEqual(day('2026-03-01'))
    expect(hourOf(moment)).toEqual(new Date('2026-03-01T23:00:00.000Z'))
    expect(dayOf(new Date('2026-03-01T08:00:00+09:00'))).toEqual(day('2026-02-28'))
  })

  it('the days of a range have no gap, including leap days', () => {
    const days = daysBetween(day('2028-02-28'), day('2028-03-01')).map(isoDay)
    expect(days).toEqual(['2028-02-28', '2028-02-29', '2028-03-01'])
  })
})

describe('figures', () => {
  it('figures have no acceptance rate without requests', () => {
    expect(totalsOf(new Map(), 0)).toMatchObject({ sign_ups: 0, friend_acceptance_rate: null })
    const sums = new Map([
      ['friend_requests', 3],
      ['friend_requests_converted', 2],
    ])
    expect(totalsOf(sums, 5)).toMatchObject({ active_users: 5, friend_acceptance_rate: 0.6667 })
  })
})

describe('a rebuild', () => {
  it.each([
    ['2026-03-08T12:00:00Z', '2026-03-02'],
    ['2026-03-08T00:00:00Z', '2026-03-01'],
    ['2026-03-08T23:59:59Z', '2026-03-02'],
  ])('a rebuild at %s starts with the first day that is retained completely', (now, first) => {
    expect(isoDay(firstCoveredDay(new Date(now), 7 * 86_400_000))).toBe(first)
  })
})
