import type { Extraction, Table } from './extraction.ts'
import {
  factValue,
  reportWords,
  SHOWN_CHARACTERS,
  SHOWN_FACTS,
  SHOWN_ROWS,
  SHOWN_TABLES,
} from './report-words.ts'

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeText = (text: string) => text.replace(/[&<>"']/g, (char) => escapes[char]!)

const style =
  'body{font:15px/1.6 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c1c1e}' +
  'table{border-collapse:collapse;margin:0 0 1rem;font-size:13px}td,th{border:1px solid #d1d1d6;padding:.25rem .5rem;text-align:left}' +
  'pre{white-space:pre-wrap;background:#f2f2f7;padding:1rem;border-radius:.5rem}'

/** A page that loads nothing: whatever a document holds is text in it. */
export function reportHtml(name: string, extraction: Extraction): string {
  const words = reportWords(extraction)
  const { summary, facts, tables, warnings } = extraction
  const text = extraction.text
    .map((page) => page.text)
    .join('\n\n')
    .slice(0, SHOWN_CHARACTERS)
  const list = (items: readonly string[]) =>
    items.length === 0
      ? `<p>${words.none}</p>`
      : `<ul>${items.map((item) => `<li>${escapeText(item)}</li>`).join('')}</ul>`
  const factRows = facts
    .slice(0, SHOWN_FACTS)
    .map((fact) => [words.kinds[fact.kind], factValue(fact), fact.text, `× ${fact.count}`])
  return [
    `<!doctype html><html lang="${escapeText(extraction.language ?? 'en')}"><head><meta charset="utf-8">`,
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escapeText(name)}</title><style>${style}</style></head><body>`,
    `<h1>${words.title}</h1><p>${escapeText(name)} · ${words.pages(extraction.pages_read, extraction.pages_total)}</p>`,
    `<h2>${words.summary}</h2>${list(summary)}`,
    `<h2>${words.facts}</h2>${factRows.length === 0 ? `<p>${words.none}</p>` : tableHtml(factRows)}`,
    warnings.length === 0 ? '' : `<h2>${words.notes}</h2>${list(warnings)}`,
    `<h2>${words.tables} (${tables.length})</h2>`,
    ...tables.slice(0, SHOWN_TABLES).map((table) => shownTable(table, words.more)),
    `<h2>${words.text}</h2><pre>${escapeText(text)}</pre></body></html>`,
  ].join('\n')
}

function shownTable({ name, page, rows }: Table, more: (rows: number) => string): string {
  const rest = rows.length - SHOWN_ROWS
  const caption = name === null ? `p. ${page}` : escapeText(name)
  return `<h3>${caption}</h3>${tableHtml(rows.slice(0, SHOWN_ROWS))}${rest > 0 ? `<p>${more(rest)}</p>` : ''}`
}

function tableHtml(rows: readonly (readonly string[])[]): string {
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${escapeText(cell)}</td>`).join('')}</tr>`)
  return `<table>${body.join('')}</table>`
}
