import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, it } from 'vitest'
import { Lifecycle } from './lifecycle.ts'
import { createLogger } from './logging.ts'

const silent = createLogger({ service: 'test', level: 'silent' })

describe('Lifecycle', () => {
  it('the lifecycle stops streams, http, consumers, producers, stores in this order, regardless of the order of registration', async () => {
    const lifecycle = new Lifecycle(silent)
    const stopped: string[] = []
    for (const phase of ['stores', 'http', 'producers', 'streams', 'consumers'] as const)
      lifecycle.onStop(phase, phase, () => void stopped.push(phase))
    expect(await lifecycle.stop()).toBe(true)
    expect(stopped).toEqual(['streams', 'http', 'consumers', 'producers', 'stores'])
  })

  it('the lifecycle stops the steps of a phase in reverse order of registration', async () => {
    const lifecycle = new Lifecycle(silent)
    const stopped: string[] = []
    for (const name of ['connection', 'publisher'])
      lifecycle.onStop('producers', name, () => void stopped.push(name))
    await lifecycle.stop()
    expect(stopped).toEqual(['publisher', 'connection'])
  })

  it('the lifecycle stops all consumers at the same time', async () => {
    const lifecycle = new Lifecycle(silent, 1_000)
    const both = Promise.withResolvers<void>()
    let stopping = 0
    for (const name of ['users.live', 'users.deletions'])
      lifecycle.onStop('consumers', name, () => {
        if (++stopping === 2) both.resolve()
        return both.promise
      })
    expect(await lifecycle.stop()).toBe(true)
  })

  it('the lifecycle starts the next phase only after the previous one has ended', async () => {
    const lifecycle = new Lifecycle(silent)
    let streamsEnded = false
    lifecycle.onStop('streams', 'streams', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      streamsEnded = true
    })
    lifecycle.onStop('http', 'http', () => expect(streamsEnded).toBe(true))
    expect(await lifecycle.stop()).toBe(true)
  })

  it.each([
    ['hangs', () => new Promise(() => undefined)],
    ['rejects', () => Promise.reject(new Error('x'))],
    [
      'throws',
      () => {
        throw new Error('x')
      },
    ],
  ])('continues with the remaining steps and resolves to false when one %s', async (_how, run) => {
    const lifecycle = new Lifecycle(silent, 50)
    let storesClosed = false
    lifecycle.onStop('consumers', 'bad', run)
    lifecycle.onStop('stores', 'stores', () => {
      storesClosed = true
    })
    expect(await lifecycle.stop()).toBe(false)
    expect(storesClosed).toBe(true)
  })

  it('the lifecycle stops once for any number of calls', async () => {
    const lifecycle = new Lifecycle(silent)
    let times = 0
    lifecycle.onStop('stores', 'store', () => void times++)
    expect(lifecycle.isStopping).toBe(false)
    await Promise.all([lifecycle.stop(), lifecycle.stop()])
    expect(lifecycle.isStopping).toBe(true)
    expect(times).toBe(1)
  })
})

describe('a service process', { timeout: 20_000 }, () => {
  let child: ChildProcess | undefined
  afterEach(() => child?.kill('SIGKILL'))

  async function start() {
    const running = spawn(process.execPath, [join(import.meta.dirname, '..', 'testing', 'slow-process.ts')])
    child = running
    const messages: string[] = []
    const waiting = new Map<RegExp, (message: string) => void>()
    createInterface({ input: running.stdout }).on('line', (line) => {
      const { msg } = JSON.parse(line) as { msg: string }
      messages.push(msg)
      for (const [pattern, resolve] of waiting) if (pattern.test(msg)) resolve(msg)
    })
    const said = (pattern: RegExp) => new Promise<string>((resolve) => waiting.set(pattern, resolve))
    const listening = await said(/listening/)
    const url = /http:\S+/.exec(listening)![0]
    return {
      url,
      messages,
      said,
      ended: once(running, 'exit'),
      kill: (signal: NodeJS.Signals) => running.kill(signal),
    }
  }

  it('a service process finishes the running request on SIGTERM, accepts no new one, and exits with 0', async () => {
    const { url, messages, said, ended, kill } = await start()
    const begun = said(/request has begun/)
    const answer = fetch(`${url}/slow`)
    await begun
    const stopping = said(/^stopping$/)
    kill('SIGTERM')
    await stopping
    const late = fetch(`${url}/slow`).then(
      ({ status }) => status,
      () => 'refused',
    )
    expect(await (await answer).json()).toEqual({ done: true })
    expect([503, 'refused']).toContain(await late)
    expect(await ended).toEqual([0, null])
    expect(messages.filter((message) => message.startsWith('stopped'))).toEqual([
      'stopped streams',
      'stopped http',
      'stopped consumers',
      'stopped producers',
      'stopped stores',
    ])
  })

  it.each([
    ['exception', 'SIGUSR2', 'uncaughtException'],
    ['rejection', 'SIGHUP', 'unhandledRejection'],
  ] as const)('exits with 1 immediately on an uncaught %s', async (_what, signal, message) => {
    const { messages, ended, kill } = await start()
    kill(signal)
    expect(await ended).toEqual([1, null])
    expect(messages).toContain(message)
  })
})
