import { forgotPassword, getMessage, leaveRoom, sendMessage } from '@bigtech/contracts'
import { describe, expect, it } from 'vitest'
import { messageOf } from '../testing/fakes.ts'
import { ApiProblem, NetworkFailure } from './api-problem.ts'
import { Http } from './http.ts'
import type { NoInput, Operation } from './operation.ts'

function answering(respond: (url: string, init: RequestInit) => Response | Promise<Response>) {
  const calls: { url: string; init: RequestInit }[] = []
  const fetchOf = async (url: string, init: RequestInit) => {
    calls.push({ url, init })
    return respond(url, init)
  }
  const http = new Http({
    baseUrl: 'http://api/',
    fetch: fetchOf as unknown as typeof fetch,
    timeoutMs: 50,
  })
  return { http, calls }
}

const read = (http: Http) => http.call(getMessage, { params: { room_id: 7, message_id: '7:000000000001' } })
const failureOf = (response: Response) =>
  read(answering(() => response).http).then(
    () => undefined,
    (err: unknown) => err,
  )

describe('a call', () => {
  it('a call sends path, body and token of the contract, and returns the validated response', async () => {
    const message = messageOf(1)
    const { http, calls } = answering(() =>
      Response.json({ ...message, from_the_future: 1 }, { status: 201 }),
    )
    const body = { content: 'hello' }
    expect(await http.call(sendMessage, { params: { room_id: 7 }, body }, { token: 't' })).toEqual(message)
    expect(calls[0]!.url).toBe('http://api/messages/7')
    expect(calls[0]!.init).toMatchObject({
      method: 'POST',
      body: JSON.stringify(body),
      headers: { authorization: 'Bearer t', 'content-type': 'application/json' },
    })
  })

  it('a call without a body sends no content type, and accepts 204', async () => {
    const { http, calls } = answering(() => new Response(null, { status: 204 }))
    expect(await http.call(leaveRoom, { params: { room_id: 7 } }, { token: 't' })).toBeUndefined()
    expect(calls[0]!.init.headers).not.toHaveProperty('content-type')
  })

  it('a call accepts 202 without a body', async () => {
    const headers = { 'content-length': '0' }
    const { http } = answering(() => new Response(null, { status: 202, headers }))
    expect(await http.call(forgotPassword, { body: { email: 'a@example.com' } })).toBeUndefined()
  })

  it('a call passes a non-JSON response through', async () => {
    const { http } = answering(() => new Response('bytes'))
    const operation: Operation<NoInput, Response> = { method: 'GET', path: '/x', isRaw: true }
    expect(await (await http.call(operation, {})).text()).toBe('bytes')
  })

  it('a call rejects a response that violates the contract', async () => {
    const { http } = answering(() => Response.json({ message_id: 1 }))
    await expect(read(http)).rejects.toThrow()
  })

  it.each([
    ['the connection breaks', () => Promise.reject(new TypeError('fetch failed'))],
    [
      'no response arrives in time',
      (_url: string, { signal }: RequestInit) =>
        new Promise<Response>((_resolve, reject) => {
          signal!.addEventListener('abort', () => reject(signal!.reason))
        }),
    ],
    ['the response is truncated', () => new Response('{"message_id":')],
  ])('a call fails with a NetworkFailure when %s', async (_when, respond) => {
    await expect(read(answering(respond).http)).rejects.toBeInstanceOf(NetworkFailure)
  })
})

describe('a refusal', () => {
  it('a refusal is an ApiProblem with all data of the server', async () => {
    const body = {
      type: 'about:blank',
      title: 'The request is not valid.',
      detail: 'Look at the fields.',
      status: 422,
      code: 'VALIDATION_FAILED',
      request_id: 'r-1',
      errors: [{ field: 'content', message: 'Required.' }],
    }
    const failure = await failureOf(Response.json(body, { status: 422, headers: { 'retry-after': '7' } }))
    expect(failure).toBeInstanceOf(ApiProblem)
    expect(failure).toMatchObject({
      code: 'VALIDATION_FAILED',
      status: 422,
      requestId: 'r-1',
      errors: body.errors,
      retryAfterSeconds: 7,
      message: 'Look at the fields.',
    })
  })

  it.each([
    ['an HTML page of a proxy', '<html>Bad Gateway</html>'],
    ['nothing', ''],
    ['JSON that is not a problem', '{"error":"x"}'],
  ])('a refusal with %s keeps its status and request id', async (_what, body) => {
    const failure = await failureOf(new Response(body, { status: 502, headers: { 'x-request-id': 'r-2' } }))
    expect(failure).toBeInstanceOf(ApiProblem)
    expect(failure).toMatchObject({ status: 502, code: 'UNKNOWN', requestId: 'r-2', errors: [] })
  })
})
