import { expect, it } from 'vitest'
import { kafkaSecurity, kafkaSecurityFromEnv } from './security.ts'

const account = { KAFKA_USERNAME: 'chat-service', KAFKA_PASSWORD: 'secret' }

it('kafkaSecurity is undefined without configuration', () => {
  expect(kafkaSecurityFromEnv({})).toEqual({ tls: false })
})

it('kafkaSecurity reads TLS and the account from the variables', () => {
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
])('kafkaSecurity rejects an incomplete account: %j', (variables) => {
  expect(() => kafkaSecurity(variables)).toThrow('set all three or none')
})

it('kafkaSecurity rejects an unknown mechanism', () => {
  expect(() => kafkaSecurityFromEnv({ ...account, KAFKA_SASL_MECHANISM: 'gssapi' })).toThrow('none of plain')
})
