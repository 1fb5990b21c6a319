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

/** Serves the upstream `web-client` of kong.yml from a directory. */
export async function useWebPage(app: FastifyInstance, root: string): Promise<void> {
  await app.register(fastifyStatic, { root, serve: false, cacheControl: false, dotfiles: 'ignore' })
}

/**
 * Serves one file of the page; `path` is normalized and percent-encoded. An address without an extension
 * belongs to the app and gets the document, as in nginx.conf.
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
  // Like nginx: /docs/errors is docs/errors.html, and any other address belongs to the app.
  const isAddress = !name.slice(name.lastIndexOf('/')).includes('.')
  const isPage = isAddress && (await isFile(join(root, `${name}.html`)))
  const file = isPage ? `${name.slice(1)}.html` : isAddress ? 'index.html' : name.slice(1)
  if (isAddress && !(await isFile(join(root, file))))
    return reply.type('text/html; charset=utf-8').send(placeholder)
  // Names under /assets/ contain a content hash. Everything else is revalidated with 304.
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
