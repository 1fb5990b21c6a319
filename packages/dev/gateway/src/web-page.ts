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

/**
 * One file of the page; `path` is a normalised, percent-encoded path. An address without an extension is
 * one of the app's own: it gets the document, as nginx.conf does it in Compose.
 */
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
  const name = decodeURIComponent(path)
  // As nginx does: /docs/errors is docs/errors.html, and every other address is the app's own.
  const isAddress = !name.slice(name.lastIndexOf('/')).includes('.')
  const isPage = isAddress && (await isFile(join(root, `${name}.html`)))
  const file = isPage ? `${name.slice(1)}.html` : isAddress ? 'index.html' : name.slice(1)
  if (isAddress && !(await isFile(join(root, file))))
    return reply.type('text/html; charset=utf-8').send(placeholder)
  // Names under /assets/ carry a hash of the content. All else is asked for again, and answered by 304.
  const isHashed = path.startsWith('/assets/')
  reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
  return reply.sendFile(file)
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  )
}
