import { problems } from '@bigtech/contracts'

/** Returns the page to which the `type` of every problem links: one entry per code, with the code as fragment. */
export function errorPage(): string {
  const rows = Object.entries(problems).map(
    ([code, { status, title, meaning }]) =>
      `<tr id="${code}"><td><code>${code}</code><td>${status}<td>${escapeHtml(title)}<td>${withCode(escapeHtml(meaning))}`,
  )
  return htmlPage(
    'Error codes',
    `<p>Every failure is <code>application/problem+json</code> (RFC 9457). Switch on <code>code</code>, which is stable; quote
<code>request_id</code> when you ask for help. 429 and 503 carry <code>Retry-After</code> in seconds.
<table><tr><th>Code<th>Status<th>Title<th>What it means, what to do
${rows.join('\n')}
</table>`,
  )
}

/** Returns a page without scripts and inline styles, which the gateway's content security policy forbids. */
export function htmlPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<h1>${escapeHtml(title)}</h1>
${body}
</html>
`
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

const withCode = (html: string): string => html.replace(/`([^`]+)`/g, '<code>$1</code>')
