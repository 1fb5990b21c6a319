import { expect, it } from 'vitest'
import { connectionOptions } from './connection.ts'

const url = (query = '') => `mysql://a:b@db.example:3307/bigtech_x${query}`

it.each([
  ['', undefined],
  ['?ssl-mode=DISABLED', undefined],
  ['?ssl-mode=REQUIRED', { rejectUnauthorized: false }],
  ['?ssl-mode=VERIFY_CA', { checkServerIdentity: expect.any(Function) }],
  ['?ssl-mode=VERIFY_IDENTITY', { checkServerIdentity: expect.any(Function) }],
])('the URL option %j decides how TLS is used', (query, ssl) => {
  expect(connectionOptions(url(query)).ssl).toEqual(ssl)
})

it.each(['?ssl=true', '?tls=true', '?ssl-mode=REQUIRED&ssl-ca=/x'])(
  'an option that is not known is refused, not ignored: %s',
  (query) => expect(() => connectionOptions(url(query))).toThrow('only ssl-mode is known'),
)

it('a mode that does not exist is refused with the ones that do', () => {
  expect(() => connectionOptions(url('?ssl-mode=on'))).toThrow('none of DISABLED, REQUIRED')
})

it('the key of a password is fetched from the server only where there is no TLS', () => {
  expect(connectionOptions(url()).allowPublicKeyRetrieval).toBe(true)
  expect(connectionOptions(url('?ssl-mode=VERIFY_CA')).allowPublicKeyRetrieval).toBe(false)
})
