import { defineRoute } from '@bigtech/contracts'
import { z } from 'zod'
import { baseConfig, buildService, exitOnSignals, loadConfig, port, route } from '../src/index.ts'

/** A service with a slow operation, to be killed by tests. Logs its shutdown to stdout. */
const slow = defineRoute({
  operationId: 'waitAWhile',
  method: 'GET',
  path: '/slow',
  tag: 'test',
  summary: 'Responds after a delay',
  auth: 'public',
  success: { status: 200, description: 'Done.', schema: z.object({ done: z.boolean() }) },
})

const service = await buildService({
  name: 'slow-service',
  title: 'Slow Service',
  description: 'Slow.',
  config: loadConfig(z.object({ ...baseConfig.shape, PORT: port }), {
    PORT: '0',
    KAFKA_BROKERS: 'localhost:1',
    LOG_LEVEL: 'info',
  }),
})
const { app, lifecycle, log } = service
route(app, slow, async () => {
  log.info('request has begun')
  await new Promise((resolve) => setTimeout(resolve, 500))
  return { done: true }
})
for (const phase of ['stores', 'producers', 'consumers', 'streams'] as const)
  lifecycle.onStop(phase, phase, () => log.info(`stopped ${phase}`))
app.addHook('onClose', async () => log.info('stopped http'))
exitOnSignals(lifecycle, log)
process.on('SIGUSR2', () => {
  throw new Error('uncaught test error')
})
process.on('SIGHUP', () => void Promise.reject(new Error('uncaught test error')))
await service.start()
