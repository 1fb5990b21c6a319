import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'

export interface CallOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer | Readable
  /** Sends the body in chunks, without a content-length. */
  readonly chunked?: boolean
  readonly agent?: Agent
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** The request as received by an echo server. */
export interface Echoed {
  readonly service: string
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string | undefined>
  readonly bodyBytes: number
}

let nextAddress = 0
/** Returns an unused client address, because the rate limit counts by address. */
export function freshAddress(): string {
  nextAddress += 1
  const random = Math.floor(Math.random() * 200) + 20
  return `10.${random}.${nextAddress >> 8}.${nextAddress & 255}`
}

/** Sends a request with an unmodified path: `fetch` would resolve `..` itself. */
export function open(base: string, path: string, options: CallOptions = {}): Promise<IncomingMessage> {
  const { hostname, port } = new URL(base)
  const { method = 'GET', headers = {}, body, agent, chunked = false } = options
  const length = body === undefined ? {} : bodyHeader(body, chunked)
  return new Promise((resolve, reject) => {
    const outgoing = request({
      hostname,
      port,
      method,
      path,
      agent: agent ?? new Agent({ keepAlive: false }),
      headers: { 'x-forwarded-for': freshAddress(), ...length, ...headers },
    })
    outgoing.once('response', resolve).once('error', reject)
    if (body instanceof Readable) {
      outgoing.flushHeaders()
      body.pipe(outgoing)
    } else outgoing.end(body)
  })
}

export async function call(base: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const response = await open(base, path, options)
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: Buffer.concat(chunks).toString('utf8'),
  }
}

export async function echoOf(base: string, path: string, options: CallOptions = {}): Promise<Echoed> {
  const answer = await call(base, path, options)
  if (!answer.headers['x-echo-service'])
    throw new Error(`no upstream responded with ${path}: ${answer.status} ${answer.text}`)
  return JSON.parse(answer.text) as Echoed
}

function bodyHeader(body: string | Buffer | Readable, chunked: boolean): Record<string, string> {
  if (body instanceof Readable) return chunked ? { 'transfer-encoding': 'chunked' } : {}
  return chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(Buffer.byteLength(body)) }
}
