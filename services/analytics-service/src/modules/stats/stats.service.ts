import type { StatsRepository } from './stats.repository.ts'
import { addDays, dayOf, daysBetween, isoDay, type Totals, totalsOf } from './stats.ts'

export interface StatsDependencies {
  readonly repository: StatsRepository
  readonly now: () => number
}

/** Reads the figures. */
export class StatsService {
  readonly #repository: StatsRepository
  readonly #now: () => number

  constructor({ repository, now }: StatsDependencies) {
    this.#repository = repository
    this.#now = now
  }

  /** Returns figures of today, and of the last 7 and 30 days including today. */
  async getStatsSummary() {
    const today = dayOf(new Date(this.#now()))
    const [day, week, month] = await Promise.all([
      this.totals(today, today),
      this.totals(addDays(today, -6), today),
      this.totals(addDays(today, -29), today),
    ])
    return { today: day, last_7_days: week, last_30_days: month }
  }

  async totals(from: Date, to: Date): Promise<Totals> {
    const [days, active] = await Promise.all([
      this.#repository.dailyTotals(from, to),
      this.#repository.activeUsers(from, to),
    ])
    const sums = new Map<string, number>()
    for (const { metric, total } of days) sums.set(metric, (sums.get(metric) ?? 0) + total)
    return totalsOf(sums, active)
  }

  /** Returns one entry per day, including days without events. */
  async listDailyStats(from: Date, to: Date) {
    const [totals, active] = await Promise.all([
      this.#repository.dailyTotals(from, to),
      this.#repository.dailyActive(from, to),
    ])
    const sumsByDay = new Map<string, Map<string, number>>()
    for (const { day, metric, total } of totals) {
      const sums = sumsByDay.get(isoDay(day)) ?? new Map<string, number>()
      sumsByDay.set(isoDay(day), sums.set(metric, total))
    }
    const activeByDay = new Map(active.map(({ day, users }) => [isoDay(day), users]))
    return daysBetween(from, to).map((date) => {
      const day = isoDay(date)
      return { day, ...totalsOf(sumsByDay.get(day) ?? new Map(), activeByDay.get(day) ?? 0) }
    })
  }

  async listRoomHours(roomId: number, from: Date, to: Date) {
    const hours = await this.#repository.roomHours(roomId, from, addDays(to, 1))
    return hours.map(({ hour, messages }) => ({ hour: hour.toISOString(), messages }))
  }
}
