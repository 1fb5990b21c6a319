import type { RouteContract } from '../packages/contracts/src/index.ts'
import { escapeHtml, htmlPage } from '../packages/service-kit/src/error-page.ts'
import { gatewayContracts } from './api/openapi.ts'

/** The page at the gateway's /docs: every operation that a client can reach through it. */
export function apiPage(): string {
  const operations = gatewayContracts()
  const sections = [...Map.groupBy(operations, ({ tag }) => tag)].map(
    ([tag, rows]) => `<h2>${escapeHtml(tag)}</h2>
<table><tr><th>Operation<th>Sign-in<th>What it does<th>Own errors
${rows.map(rowOf).join('\n')}
</table>`,
  )
  return htmlPage(
    'BigTech Chat API',
    `<p>Every path through this gateway begins with <code>/api</code>. Errors: <a href="/docs/errors">error codes</a>.
To read it in detail and to try it: <a href="/api/docs">/api/docs</a>; the OpenAPI document: <a
href="/api/openapi.json">/api/openapi.json</a>.
${sections.join('\n')}`,
  )
}

function rowOf({ method, path, auth = 'bearer', summary, problems = [] }: RouteContract): string {
  const errors = problems.map((code) => `<a href="/docs/errors#${code}">${code}</a>`).join(', ')
  return `<tr><td><code>${method} /api${escapeHtml(path)}</code><td>${auth}<td>${escapeHtml(summary)}<td>${errors}`
}
