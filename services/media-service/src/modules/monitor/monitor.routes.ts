import { readFile } from 'node:fs/promises'
import { cancelJob, getJobOverview, listJobs, retryJob } from '@bigtech/contracts'
import { requireOperator, route } from '@bigtech/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import type { Monitor } from './monitor.ts'

export interface MonitorRoutesOptions {
  readonly monitor: Monitor
  readonly operatorToken: string | undefined
}

const assets = {
  '/monitor': ['monitor.html', 'text/html; charset=utf-8'],
  '/monitor/page.js': ['monitor.js', 'text/javascript; charset=utf-8'],
  '/monitor/page.css': ['monitor.css', 'text/css; charset=utf-8'],
} as const
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'"

/** For operators. Not routed by the gateway; the page contains no data, which requires the operator token. */
export const monitorRoutes: FastifyPluginAsync<MonitorRoutesOptions> = async (app, options) => {
  const { monitor, operatorToken } = options
  for (const [path, [file, type]] of Object.entries(assets)) {
    const content = await readFile(new URL(`page/${file}`, import.meta.url))
    app.get(path, { schema: { hide: true } }, (_request, reply) =>
      reply
        .headers({ 'content-security-policy': policy, 'x-content-type-options': 'nosniff' })
        .type(type)
        .send(content),
    )
  }
  await app.register(async (operators) => {
    operators.addHook('onRequest', requireOperator(operatorToken))
    route(operators, getJobOverview, () => monitor.overview())
    route(operators, listJobs, async ({ query: { page, limit, ...filter } }) => ({
      items: await monitor.list(filter, page, limit),
    }))
    route(operators, cancelJob, ({ params }) => monitor.cancel(params.job_id))
    route(operators, retryJob, ({ params }) => monitor.retry(params.job_id))
  })
}
