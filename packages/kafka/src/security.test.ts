import { expect, it } from 'vitest'
import { kafkaSecurity, kafkaSecurityFromEnv } from './security.ts'

const account = { KAFKA_USERNAME: 'chat-service', KAFKA_PASSWORD: 'secret' }

it('is off unless it is set', () => {
  expect(kafkaSecurityFromEnv({})).toEqual({ tls: false })
})

it('takes TLS and an account from the variables', () => {
  const env = { ...account, KAFKA_TLS: 'true', KAFKA_SASL_MECHANISM: 'scram-sha-512' }
  expect(kafkaSecurityFromEnv(env)).toEqual({
    tls: true,
    sasl: { mechanism: 'scram-sha-512', username: 'chat-service', password: 'secret' },
  })
})

it.each([
  [{ KAFKA_SASL_MECHANISM: 'plain' as const }],
  [account],
  [{ KAFKA_SASL_MECHANISM: 'plain' as const, KAFKA_USERNAME: 'x' }],
])('refuses half an account: %j', (variables) => {
  expect(() => kafkaSecurity(variables)).toThrow('set all three or none')
})

it('refuses a mechanism that it does not know', () => {
  expect(() => kafkaSecurityFromEnv({ ...account, KAFKA_SASL_MECHANISM: 'gssapi' })).toThrow('none of plain')
})
