import { expect, it } from 'vitest'
import { connectionOptions } from './connection.ts'

const url = (query = '') => `mysql://a:b@db.example:3307/bigtech_x${query}`

it.each([
  ['', undefined],
  ['?ssl-mode=DISABLED', undefined],
  ['?ssl-mode=REQUIRED', { rejectUnauthorized: false }],
  ['?ssl-mode=VERIFY_CA', { checkServerIdentity: expect.any(Function) }],
  ['?ssl-mode=VERIFY_IDENTITY', { checkServerIdentity: expect.any(Function) }],
])('the URL option %j determines the use of TLS', (query, ssl) => {
  expect(connectionOptions(url(query)).ssl).toEqual(ssl)
})

it.each(['?ssl=true', '?tls=true', '?ssl-mode=REQUIRED&ssl-ca=/x'])(
  'rejects an unknown option instead of ignoring it: %s',
  (query) => expect(() => connectionOptions(url(query))).toThrow('only ssl-mode is known'),
)

it('connection options reject an unknown TLS mode and list the valid ones', () => {
  expect(() => connectionOptions(url('?ssl-mode=on'))).toThrow('none of DISABLED, REQUIRED')
})

it("a connection fetches the server's public key for passwords only without TLS", () => {
  expect(connectionOptions(url()).allowPublicKeyRetrieval).toBe(true)
  expect(connectionOptions(url('?ssl-mode=VERIFY_CA')).allowPublicKeyRetrieval).toBe(false)
})
