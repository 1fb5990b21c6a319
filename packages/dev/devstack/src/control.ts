import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { namesThisMachine } from './local-host.ts'
import { messageOf, UserError } from './problems.ts'
import type { ProcessSpec } from './process.ts'
import type { Supervisor } from './supervisor.ts'

const actions = ['start', 'stop', 'restart', 'kill', 'pause', 'resume'] as const
type Action = (typeof actions)[number]

interface Command {
  name: string
  action: Action
  comesBack: boolean
}

/** Parses `POST /processes/chat-service%232/start`; undefined for any other request. */
export function parseCommand(method: string | undefined, target: string | undefined): Command | undefined {
  const url = new URL(target ?? '/', 'http://stack')
  const match = /^\/processes\/([^/]+)\/(\w+)$/.exec(url.pathname)
  const action = actions.find((known) => known === match?.[2])
  if (method !== 'POST' || !match?.[1] || !action) return undefined
  return { name: decodeURIComponent(match[1]), action, comesBack: url.searchParams.get('restart') === 'true' }
}

/**
 * Returns whether a browser sent the request, which must not stop processes: browsers send an origin, tests
 * and curl do not.
 */
export function isFromBrowser(request: Pick<IncomingMessage, 'headers'>): boolean {
  const { headers } = request
  return headers.origin !== undefined || headers['sec-fetch-site'] !== undefined || !namesThisMachine(headers)
}

async function perform(
  supervisor: Supervisor,
  command: Command,
  describe: (name: string) => ProcessSpec,
): Promise<void> {
  const { name, action } = command
  if (!supervisor.has(name) && action === 'start') supervisor.add(describe(name))
  if (action === 'kill') await supervisor.kill(name, command.comesBack)
  else await supervisor[action](name)
}

function respond(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

async function handle(
  supervisor: Supervisor,
  describe: (name: string) => ProcessSpec,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (isFromBrowser(request)) return respond(response, 403, { error: 'Not for web pages.' })
  if (request.method === 'GET' && request.url === '/processes')
    return respond(response, 200, { items: supervisor.list() })
  const command = parseCommand(request.method, request.url)
  if (!command) return respond(response, 404, { error: 'GET /processes, or POST /processes/{name}/{action}' })
  try {
    await perform(supervisor, command, describe)
    respond(
      response,
      200,
      supervisor.list().find((info) => info.name === command.name),
    )
  } catch (error) {
    respond(response, error instanceof UserError ? 409 : 500, { error: messageOf(error) })
  }
}

/** Starts the control API, with which tests stop Kafka, kill a service or start a second copy. Loopback only. */
export async function startControl(
  port: number,
  supervisor: Supervisor,
  describe: (name: string) => ProcessSpec,
): Promise<Server> {
  const server = createServer((request, response) => void handle(supervisor, describe, request, response))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}
