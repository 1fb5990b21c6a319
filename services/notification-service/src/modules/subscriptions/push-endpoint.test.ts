import { describe, expect, it } from 'vitest'
import { endpointFault, isPrivateAddress, PrivateAddressError, publicLookup } from './push-endpoint.ts'

describe('a push endpoint', () => {
  it.each([
    'https://fcm.googleapis.com/fcm/send/abc:def',
    'https://updates.push.services.mozilla.com/wpush/v2/gAAA',
    'https://web.push.apple.com/QGuQ',
    'https://wns2-par02p.notify.windows.com/w/?token=x',
  ])('the push endpoint %s is accepted', (endpoint) => {
    expect(endpointFault(endpoint)).toBeUndefined()
  })

  it.each([
    'http://fcm.googleapis.com/fcm/send/abc',
    'https://127.0.0.1/x',
    'https://[::1]/x',
    'https://[::ffff:10.0.0.1]/x',
    'https://2130706433/x',
    'https://0x7f000001/x',
    'https://8.8.8.8/x',
    'https://localhost/x',
    'https://mysql/x',
    'https://metadata.google.internal/x',
    'https://printer.local/x',
    'https://user:password@push.example.com/x',
    'https://push.example.com:8443/x',
  ])('the push endpoint %s is rejected', (endpoint) => {
    expect(endpointFault(endpoint)).toBeTypeOf('string')
  })

  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.53',
    '169.254.169.254',
    '172.31.255.255',
    '192.168.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    'fd00::1',
    'fe80::1',
    '64:ff9b::a00:1',
    '64:ff9b:1::a00:1',
    '2002:a00:1::1',
    '2001::a00:1',
    '2001:db8::1',
    '100::1',
    'fec0::1',
    '::10.0.0.1',
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '010.0.0.1',
    '0x7f.1',
    'ff02::1',
    'not an address',
  ])('%s is not a public address', (address) => {
    expect(isPrivateAddress(address)).toBe(true)
  })

  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '2606:4700::1111'])('%s is a public address', (address) => {
    expect(isPrivateAddress(address)).toBe(false)
  })

  it('a push endpoint is not contacted when its name resolves to a private address', async () => {
    const failure = await new Promise((resolve) => {
      publicLookup('localhost', { all: true }, (err) => resolve(err))
    })
    expect(failure).toBeInstanceOf(PrivateAddressError)
  })
})
