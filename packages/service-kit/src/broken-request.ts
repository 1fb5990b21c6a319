import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ProblemCode } from '@bigtech/contracts'
import { requestIdFrom } from './context.ts'
import { Problem, problemBodyOf } from './problem.ts'

const codeByError: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
}

/**
 * Responds with a problem to requests that are not HTTP, exceed Node's header limit, or take too long. There
 * is no request object, so the response is written to the socket, which is then closed.
 */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const problem = new Problem(codeByError[error.code ?? ''] ?? 'BAD_REQUEST', {
    ...(error.code?.startsWith('HPE_INVALID_HEADER') ? { detail: 'A header line is malformed.' } : {}),
  })
  const requestId = requestIdFrom(undefined)
  const body = JSON.stringify(problemBodyOf(problem, '', requestId))
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    `x-request-id: ${requestId}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
