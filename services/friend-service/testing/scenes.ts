import type { Answer, Harness } from './harness.ts'

/** Returns the actions of users as used in tests. */
export function scenesOf(harness: () => Harness) {
  const request = (from: number, to: number): Promise<Answer> =>
    harness().call(from, 'POST', '/friends/request', { target_user_id: to })
  return {
    request,
    befriend: async (a: number, b: number) => {
      const sent = await request(a, b)
      const url = `/friends/requests/${sent.body.request_id}/accept`
      const accepted = await harness().call(b, 'POST', url)
      if (accepted.status !== 200) throw new Error(JSON.stringify(accepted))
    },
    /** Returns one field of every item on the first page of a list. */
    idsOf: async (me: number, url: string, field = 'user_id') =>
      (await harness().call(me, 'GET', url)).body.items!.map((item) => item[field]),
  }
}
