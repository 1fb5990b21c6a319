import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RouteContract } from '../packages/contracts/src/index.ts'
import * as contracts from '../packages/contracts/src/index.ts'
import { escapeHtml, htmlPage } from '../packages/service-kit/src/error-page.ts'

const kongFile = join(import.meta.dirname, '../infrastructure/docker/kong/kong.yml')

/** The page at the gateway's /docs: every operation that a client can reach through it. */
export function apiPage(): string {
  const reachable = publicPrefixes()
  const operations = Object.values<unknown>(contracts)
    .filter(isContract)
    .filter(({ path, auth }) => auth !== 'operator' && reachable.some((prefix) => isBelow(path, prefix)))
  const sections = [...Map.groupBy(operations, ({ tag }) => tag)].map(
    ([tag, rows]) => `<h2>${escapeHtml(tag)}</h2>
<table><tr><th>Operation<th>Sign-in<th>What it does<th>Own errors
${rows.map(rowOf).join('\n')}
</table>`,
  )
  return htmlPage(
    'BigTech Chat API',
    `<p>Every path through this gateway begins with <code>/api</code>. Errors: <a href="/docs/errors">error codes</a>.
Each service serves its interactive page at its own <code>/docs</code> and its OpenAPI document at
<code>/openapi.json</code>.
${sections.join('\n')}`,
  )
}

function rowOf({ method, path, auth = 'bearer', summary, problems = [] }: RouteContract): string {
  const errors = problems.map((code) => `<a href="/docs/errors#${code}">${code}</a>`).join(', ')
  return `<tr><td><code>${method} /api${escapeHtml(path)}</code><td>${auth}<td>${escapeHtml(summary)}<td>${errors}`
}

/** The upstream paths of kong.yml's services. */
function publicPrefixes(): string[] {
  const paths = [...readFileSync(kongFile, 'utf8').matchAll(/^ {4}path: (\/\w+)$/gm)]
  return paths.map(([, path]) => path as string)
}

const isBelow = (path: string, prefix: string): boolean => path === prefix || path.startsWith(`${prefix}/`)

function isContract(value: unknown): value is RouteContract {
  return typeof value === 'object' && value !== null && 'operationId' in value && 'path' in value
}
