import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  freePort,
  type ServiceProcess,
  startHttpServer,
  startServiceProcess,
  type TestHttpServer,
  waitFor,
} from '@bigtech/testkit'
import { Agent, FormData, request } from 'undici'
import { type Harness, startHarness } from '../../services/media-service/testing/harness.ts'

export interface MediaSubject {
  readonly harness: Harness
  /** Sends a request and throws unless it succeeds. */
  get(url: string, token: string): Promise<void>
  /** Uploads a file and throws unless it succeeds. */
  upload(url: string, token: string, file: { name: string; mime: string; bytes: Uint8Array }): Promise<void>
  /** Starts the development gateway in front of that media-service. */
  gateway(mediaUrl: string): Promise<string>
  /** Ends a process that the run needs no longer. */
  end(process: ServiceProcess): Promise<void>
  start(side: 'web' | 'worker', count: number): Promise<ServiceProcess[]>
  stop(): Promise<void>
}

const MB = 2 ** 20
const ATTEMPTS = 20
const RETRY_MS = 250
const gatewayFolder = join(import.meta.dirname, '..', '..', 'packages', 'dev', 'gateway')

/** media-service on stores of its own, of which the run starts as many web processes and workers as it measures. */
export async function startMediaSubject(): Promise<MediaSubject> {
  const harness = await startHarness({
    QUOTA_BYTES: String(2 ** 40),
    JOB_POLL_MS: '500',
    JOB_HEARTBEAT_MS: '5000',
  })
  // Every job is done by the processes that are measured.
  await harness.worker.stop()
  const agent = new Agent({ connections: 64, headersTimeout: 60_000, bodyTimeout: 60_000 })
  const running = new Set<ServiceProcess>()
  const send = async (url: string, token: string, form?: () => FormData) => {
    for (let attempt = 1; ; attempt++) {
      const body = form?.()
      const { statusCode, body: answer } = await request(url, {
        method: body ? 'POST' : 'GET',
        dispatcher: agent,
        headers: { authorization: `Bearer ${token}` },
        ...(body ? { body } : {}),
      })
      const text = await answer.text()
      if (statusCode < 300) return
      // An overloaded machine returns OVERLOADED.
      if (statusCode !== 503 || attempt === ATTEMPTS)
        throw new Error(`${url}: ${statusCode} ${text.slice(0, 300)}`)
      await delay(RETRY_MS)
    }
  }
  return {
    harness,
    get: (url, token) => send(url, token),
    upload: (url, token, { name, mime, bytes }) => {
      return send(url, token, () => {
        const form = new FormData()
        form.set('file', new File([bytes as Uint8Array<ArrayBuffer>], name, { type: mime }))
        return form
      })
    },
    gateway: async (mediaUrl) => {
      const [port, adminPort] = [await freePort(), await freePort()]
      const env = { PORT: String(port), ADMIN_PORT: String(adminPort), MEDIA_SERVICE_URL: mediaUrl }
      running.add(await startServiceProcess({ folder: gatewayFolder, env }))
      const url = `http://127.0.0.1:${port}`
      await waitFor(async () => (await fetch(`${url}/health`)).ok, { timeoutMs: 30_000, what: 'the gateway' })
      return url
    },
    start: async (side, count) => {
      const started: ServiceProcess[] = []
      for (let n = 0; n < count; n++) {
        const process = await harness.another(side)
        running.add(process)
        started.push(process)
        await waitFor(async () => (await fetch(`${process.url}/ready`)).ok, { timeoutMs: 60_000, what: side })
      }
      return started
    },
    end: async (process) => {
      running.delete(process)
      await process.stop()
    },
    stop: async () => {
      await Promise.all([...running].map((process) => process.stop()))
      await agent.close()
      await harness.stop()
    },
  }
}

/** Resident memory of a process in MB: now, or at its highest. */
export function memoryMb(pid: number, of: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${of}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024
}

/** A server in media-service's place that hands each body to `take` and returns 201. */
export async function startSink(
  take: (body: AsyncIterable<Buffer>) => Promise<void>,
): Promise<TestHttpServer> {
  return startHttpServer((incoming, response) => {
    take(incoming).then(
      () => response.writeHead(201).end('{}'),
      () => response.destroy(),
    )
  })
}

export const inMb = (bytes: number): number => bytes / MB
