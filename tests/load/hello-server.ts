import { createRequire } from 'node:module'
import { parentPort } from 'node:worker_threads'

/** A worker thread that serves a constant: the most that the framework of the services can do here. */
const serviceKit = createRequire(import.meta.resolve('@bigtech/service-kit'))
const { default: fastify } = await import(serviceKit.resolve('fastify'))
const app = fastify()
app.get('/', async () => ({ hello: 'world' }))
parentPort?.postMessage(await app.listen({ host: '127.0.0.1', port: 0 }))
