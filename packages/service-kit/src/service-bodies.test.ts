import { type AddressInfo, connect } from 'node:net'
import { afterAll, expect, it } from 'vitest'
import { buildThingService } from '../testing/thing-service.ts'

const { service, sign, post } = await buildThingService()
afterAll(() => service.stop())

/** Sends bytes to a server and returns everything until it closes the connection. */
function rawExchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('close', () => resolve(text)).on('error', reject)
  })
}

it.each([
  ['a body that is not JSON', '{"name":', 400, 'BODY_NOT_JSON'],
  ['a body with __proto__', '{"__proto__":{"a":1},"name":"ab"}', 400, 'BODY_NOT_JSON'],
  ['a wrong field', { name: 'a' }, 422, 'VALIDATION_FAILED'],
  ['an unknown field', { name: 'ab', admin: true }, 422, 'VALIDATION_FAILED'],
  ['no body', '', 422, 'VALIDATION_FAILED'],
  ['a body over the limit', { name: 'a'.repeat(300_000) }, 413, 'PAYLOAD_TOO_LARGE'],
])('rejects %s with a problem that names it', async (_case, body, status, code) => {
  const answer = await post(body)
  expect(answer.statusCode).toBe(status)
  expect(answer.headers['content-type']).toMatch('application/problem+json')
  expect(answer.json()).toMatchObject({ status, code, request_id: answer.headers['x-request-id'] })
  for (const field of ['type', 'title', 'detail', 'instance'])
    expect(answer.json()[field]).toEqual(expect.stringMatching(/\S/))
  if (status === 422) expect(answer.json().errors[0]).toMatchObject({ field: expect.any(String) })
})

it.each([
  ['text/csv', 'text/csv is not supported here. Send Content-Type: application/json.'],
  ['text/plain;charset=UTF-8', 'text/plain is not supported here. Send Content-Type: application/json.'],
  ['application/x-www-form-urlencoded', 'Send Content-Type: application/json.'],
  [undefined, 'The content type is missing. Send Content-Type: application/json.'],
  ['application/json; charset=euc-kr', 'Encode the body in UTF-8.'],
  ['application/json;charset="utf-16"', 'Encode the body in UTF-8.'],
])('rejects the content type %j with 415 and names the supported one', async (type, detail) => {
  const answer = await service.app.inject({
    method: 'POST',
    url: '/things/3',
    headers: { authorization: `Bearer ${await sign()}`, ...(type ? { 'content-type': type } : {}) },
    payload: '{"name":"ab"}',
  })
  expect(answer.statusCode).toBe(415)
  expect(answer.json()).toMatchObject({
    code: 'MEDIA_TYPE_UNSUPPORTED',
    detail: expect.stringContaining(detail),
  })
})

it.each(['application/json; charset=utf-8', 'APPLICATION/JSON;Charset="UTF-8"', 'application/json; x=y'])(
  'accepts JSON as %s',
  async (type) => {
    expect((await post('{"name":"ab"}', { 'content-type': type })).statusCode).toBe(201)
  },
)

it('a service rejects a body that is not UTF-8 and never stores replacement characters', async () => {
  for (const bytes of ['a\xff\xfe', 'a\xed\xa0\x80', 'a\xc0\x80', '\xb0\xa1\xb3\xaa']) {
    const answer = await service.app.inject({
      method: 'POST',
      url: '/things/3',
      headers: { authorization: `Bearer ${await sign()}`, 'content-type': 'application/json' },
      payload: Buffer.from(`{"name":"${bytes}"}`, 'latin1'),
    })
    expect(answer.json()).toMatchObject({ status: 400, code: 'BODY_NOT_UTF8' })
  }
})

const form = (payload: string | Buffer, type = 'application/x-www-form-urlencoded') =>
  service.app.inject({ method: 'POST', url: '/forms', headers: { 'content-type': type }, payload })

it('a service announces the end of a deprecated operation', async () => {
  const { headers } = await form('name=a')
  expect(headers.deprecation).toBe('@1769472000')
  expect(headers.sunset).toBe('Mon, 27 Jul 2026 00:00:00 GMT')
})

it('a service accepts a form where the operation expects one, and no JSON there', async () => {
  expect((await form('name=%EA%B0%80+b&other=%2B')).json()).toEqual({ name: '가 b' })
  const json = await form('{"name":"ab"}', 'application/json')
  expect(json.json()).toMatchObject({
    status: 415,
    detail: 'application/json is not supported here. Send Content-Type: application/x-www-form-urlencoded.',
  })
})

it.each([
  ['a malformed escape', 'name=%zz', 400],
  ['escaped bytes that are not UTF-8', 'name=%FF%FE', 400],
  ['bytes that are not UTF-8', Buffer.from('name=\xff', 'latin1'), 400],
  ['more fields than any form has', 'a&'.repeat(100_000), 400],
  ['a field given twice', 'name=a&name=b', 422],
  ['a field of the prototype', '__proto__=a', 422],
])('rejects a form with %s', async (_case, body, status) => {
  expect((await form(body)).statusCode).toBe(status)
})

it.each([
  ['a malformed header line', 'GET /health HTTP/1.1\r\nhost: x\r\nno colon\r\n\r\n', 400, 'BAD_REQUEST'],
  ['no HTTP', 'hello\r\n\r\n', 400, 'BAD_REQUEST'],
  [
    'headers beyond the limit',
    `GET /health HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(70_000)}\r\n\r\n`,
    431,
    'HEADERS_TOO_LARGE',
  ],
])('responds to %s with a problem', async (_case, bytes, status, code) => {
  if (!service.app.server.listening) await service.start()
  const { port } = service.app.server.address() as AddressInfo
  const text = await rawExchange(port, bytes)
  expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  const [, body = ''] = text.split('\r\n\r\n')
  expect(text).toContain('content-type: application/problem+json')
  expect(JSON.parse(body)).toMatchObject({ status, code, request_id: expect.stringMatching(/\S/) })
})
