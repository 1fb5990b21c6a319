import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { baseConfig, ConfigError, loadConfig, port } from './config.ts'

const schema = z.object({
  ...baseConfig.shape,
  PORT: port.default(8005),
  DATABASE_URL: z.url({ protocol: /^mysql$/ }),
  API_KEY: z.string().min(40),
})
const good = {
  KAFKA_BROKERS: 'a:1, b:2',
  DATABASE_URL: 'mysql://u:p@h:1/d',
  API_KEY: 'k'.repeat(40),
}

function failureOf(env: Record<string, string | undefined>): string {
  try {
    loadConfig(schema, env)
    return 'none'
  } catch (err) {
    expect(err).toBeInstanceOf(ConfigError)
    return (err as Error).message
  }
}

describe('loadConfig', () => {
  it('loadConfig reads numbers, lists and defaults; an empty variable counts as unset', () => {
    const config = loadConfig(schema, { ...good, PORT: '', TRUST_PROXY_HOPS: '2' })
    expect(config).toMatchObject({ PORT: 8005, TRUST_PROXY_HOPS: 2, KAFKA_BROKERS: ['a:1', 'b:2'] })
    expect(config.OTEL_EXPORTER_OTLP_ENDPOINT).toBeUndefined()
  })

  it('loadConfig names every missing and invalid variable in one error', () => {
    const message = failureOf({ KAFKA_BROKERS: 'nonsense', PORT: '70000', DATABASE_URL: '' })
    for (const name of ['KAFKA_BROKERS', 'PORT', 'DATABASE_URL is not set', 'API_KEY is not set'])
      expect(message).toContain(name)
  })

  it.each([
    ['DATABASE_URL', 'postgres://app:canary-secret@host/db'],
    ['API_KEY', 'canary-secret'],
    ['KAFKA_BROKERS', 'canary-secret'],
    ['LOG_LEVEL', 'canary-secret'],
    ['PORT', 'canary-secret'],
  ])('never shows the value of %s, which may be a misplaced secret', (name, value) => {
    const message = failureOf({ ...good, [name]: value })
    expect(message).toContain(name)
    expect(message).not.toContain('canary-secret')
  })

  it('loadConfig describes every field, because the documentation is generated from it', () => {
    for (const [name, field] of Object.entries(baseConfig.shape))
      expect(field.description, name).toMatch(/\S/)
  })
})
