import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Readiness } from './health.ts'
import { baseConfig, buildService, loadConfig, port } from './index.ts'

const hangs = () => new Promise(() => undefined)
const works = async () => undefined
const fails = () => Promise.reject(new Error('down'))

describe('Readiness', () => {
  it('readiness checks any number of hanging stores within about a second', async () => {
    const readiness = new Readiness(new Registry())
    for (const name of ['mysql', 'mongodb', 'redis']) readiness.add({ name, ping: hangs })
    const start = performance.now()
    expect(await readiness.check()).toEqual({
      ready: false,
      checks: { mysql: 'down', mongodb: 'down', redis: 'down' },
    })
    expect(performance.now() - start).toBeLessThan(1_500)
  })

  it('readiness is ready without an optional store, but reports its outage in the body and the metric', async () => {
    const registry = new Registry()
    const readiness = new Readiness(registry)
    readiness.add({ name: 'mysql', ping: works })
    readiness.add({ name: 'kafka', ping: fails, optional: true })
    expect(await readiness.check()).toEqual({ ready: true, checks: { mysql: 'up', kafka: 'down' } })
    const text = await registry.metrics()
    expect(text).toContain('store_up{store="mysql"} 1')
    expect(text).toContain('store_up{store="kafka"} 0')
  })

  it('readiness checks the stores when scraped, and not before', async () => {
    const registry = new Registry()
    const readiness = new Readiness(registry)
    let pings = 0
    readiness.add({ name: 'mysql', ping: async () => void pings++ })
    expect(pings).toBe(0)
    expect(await registry.metrics()).toContain('store_up{store="mysql"} 1')
    expect(pings).toBe(1)
  })
})

it('/ready returns 503 while a required store is down or the process stops; /live checks no store', async () => {
  const service = await buildService({
    acceptsUserTokens: false,
    name: 'ready-service',
    title: 'Ready Service',
    description: 'Ready.',
    config: loadConfig(z.object({ ...baseConfig.shape, PORT: port }), {
      PORT: '0',
      KAFKA_BROKERS: 'localhost:1',
      LOG_LEVEL: 'silent',
    }),
  })
  let ping: () => Promise<unknown> = works
  service.readiness.add({ name: 'mysql', ping: () => ping() })
  const ask = async (url: string) => (await service.app.inject(url)).statusCode
  expect(await ask('/ready')).toBe(200)
  ping = fails
  expect(await ask('/ready')).toBe(503)
  expect(await ask('/live')).toBe(200)
  ping = works
  let whileStopping: number | undefined
  service.lifecycle.onStop('streams', 'probe', async () => {
    whileStopping = await ask('/ready')
  })
  await service.stop()
  expect(whileStopping).toBe(503)
})
