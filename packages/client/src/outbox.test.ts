import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { messageOf } from '../testing/fakes.ts'
import { ApiProblem, NetworkFailure } from './api-problem.ts'
import { Outbox, type OutboxMessage, type OutboxStore } from './outbox.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const problem = (status: number, code: string, retryAfterSeconds?: number) =>
  new ApiProblem({ title: code, status, code, request_id: 'r' }, retryAfterSeconds)

/** An outbox with a fake server: each attempt gets the next response, then all are accepted. */
function outbox(answers: (Error | 'taken')[], store?: OutboxStore) {
  const attempts: string[] = []
  const sent: string[] = []
  const refused: string[] = []
  const box = new Outbox({
    session: {
      call: (async (_operation: unknown, { body }: { body: { content: string } }) => {
        attempts.push(body.content)
        const answer = answers.shift() ?? 'taken'
        if (answer !== 'taken') throw answer
        return messageOf(attempts.length, { content: body.content })
      }) as never,
    },
    onSent: ({ content }) => void sent.push(content),
    onRefused: ({ body }) => void refused.push(body.content),
    ...(store ? { store } : {}),
  })
  return { box, attempts, sent, refused }
}

it('the outbox sends the messages of a room in order, retrying the first until the server has responded', async () => {
  const { box, attempts, sent } = outbox([new NetworkFailure('down'), problem(503, 'UNAVAILABLE')])
  for (const content of ['one', 'two', 'three']) await box.send(7, { content })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(attempts).toEqual(['one', 'one', 'one', 'two', 'three'])
  expect(sent).toEqual(['one', 'two', 'three'])
  expect(box.pending).toEqual([])
})

it('the outbox waits for the time requested by the server', async () => {
  const { box, attempts } = outbox([problem(429, 'RATE_LIMITED', 10)])
  await box.send(7, { content: 'one' })
  await vi.advanceTimersByTimeAsync(9_999)
  expect(attempts).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(600)
  expect(attempts).toHaveLength(2)
})

it('the outbox drops a message refused by the server and continues with the next', async () => {
  const { box, sent, refused } = outbox([problem(403, 'NOT_A_MEMBER')])
  await box.send(7, { content: 'one' })
  await box.send(7, { content: 'two' })
  await vi.advanceTimersByTimeAsync(1_000)
  expect(refused).toEqual(['one'])
  expect(sent).toEqual(['two'])
})

it('the outbox sends pending messages after a restart under the same ids', async () => {
  let kept: readonly OutboxMessage[] = []
  const store = {
    load: async () => kept,
    save: async (messages: readonly OutboxMessage[]) => {
      kept = structuredClone(messages) as readonly OutboxMessage[]
    },
  }
  const first = outbox([new NetworkFailure('down')], store)
  const { body } = await first.box.send(7, { content: 'one' })
  await vi.advanceTimersByTimeAsync(0)
  first.box.close()
  expect(kept.map((each) => each.body.client_message_id)).toEqual([body.client_message_id])
  const second = outbox([], store)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(second.sent).toEqual(['one'])
  expect(kept).toEqual([])
})
