import { gather } from '../chaos/cast.ts'
import {
  judgePushes,
  judgeReaders,
  judgeSends,
  judgeSeqs,
  readHistories,
  sum,
  type Verdict,
} from '../chaos/verdict.ts'
import { busiestSecond } from './reconnects.ts'
import type { Requests } from './requests.ts'
import { startTraffic } from './traffic.ts'

const PEOPLE = 6
const ROOMS = 4
const BEFORE_MS = 10_000
/** Streams of the last stopped copy reconnect within 5 s. */
const AFTER_MS = 10_000

/** Keeps people busy before, during and after a release. Prints what became of it; resolves to whether nothing was lost. */
export async function drill(release: () => Promise<boolean>): Promise<boolean> {
  const cast = await gather(PEOPLE, ROOMS)
  const traffic = await startTraffic(cast)
  const streams = traffic.watches.length
  console.log(
    `${streams} streams of ${PEOPLE} people in ${ROOMS} rooms are open; releasing in ${BEFORE_MS / 1_000} s`,
  )
  await pause(BEFORE_MS)
  const began = Date.now()
  const succeeded = await release()
  const seconds = Math.round((Date.now() - began) / 1_000)
  await pause(AFTER_MS)
  const { acknowledged } = await traffic.stop()
  try {
    const histories = await readHistories(cast)
    const readers: Verdict[] = []
    for (let at = 0; at < streams / PEOPLE; at++) {
      const watches = cast.people.map((_, person) => traffic.watches[person * (streams / PEOPLE) + at]!)
      readers.push(await judgeReaders(watches, cast, histories))
    }
    const verdicts = [
      judgeSends(acknowledged, histories),
      judgeSeqs(histories),
      sum(`messages, to ${streams} streams`, readers),
      await judgePushes(cast, histories),
    ]
    const failed = printRequests(traffic.requests)
    console.table(verdicts)
    const reopened = traffic.openings.filter((at) => at >= began)
    const peak = busiestSecond(reopened)
    console.log(
      `The release took ${seconds} s; ${reopened.length} streams reopened, at most ${peak.streams} in one second.`,
    )
    const isBroken = verdicts.some(({ lost, doubled, disordered }) => lost + doubled + disordered > 0)
    return succeeded && failed === 0 && !isBroken && !peak.isStorm
  } finally {
    for (const each of traffic.watches) each.close()
  }
}

/** Prints a row for each kind of request; returns the number of failed requests. */
function printRequests({ rows }: Requests): number {
  console.table(
    [...rows].map(([kind, { requests, repeated, failed, longestMs, attempts }]) => ({
      request: kind,
      requests,
      repeated,
      failed,
      'longest (ms)': Math.round(longestMs),
      'failed attempts': [...attempts].map(([reason, count]) => `${count} x ${reason}`).join(', '),
    })),
  )
  return [...rows.values()].reduce((all, { failed }) => all + failed, 0)
}

const pause = (durationMs: number) => new Promise((resolve) => setTimeout(resolve, durationMs))
