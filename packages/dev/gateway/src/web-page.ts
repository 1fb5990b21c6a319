import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '@bigtech/service-kit'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const placeholder = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>BigTech Chat</title></head>
<body><h1>BigTech Chat</h1>
<p>The gateway is running. The page itself is not built yet: it is expected in packages/web-client/dist.</p>
<p>The API is under <code>/api</code>.</p></body></html>
`

/** The upstream `web-client` of kong.yml, from a folder. */
export async function useWebPage(app: FastifyInstance, root: string): Promise<void> {
  await app.register(fastifyStatic, { root, serve: false, cacheControl: false, dotfiles: 'ignore' })
}

/** One file of the page; `path` is a normalised, percent-encoded path. */
export async function servePage(
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
  root: string,
): Promise<FastifyReply> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    reply.header('allow', 'GET, HEAD')
    throw new Problem('METHOD_NOT_ALLOWED')
  }
  // Asked again each time, answered by 304: a new build shows at once.
  reply.header('cache-control', 'no-cache')
  const file = path === '/' ? 'index.html' : decodeURIComponent(path).slice(1)
  if (path === '/' && !(await isFile(join(root, file))))
    return reply.type('text/html; charset=utf-8').send(placeholder)
  return reply.sendFile(file)
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  )
}
