import { expect, it } from 'vitest'
import { aimsOf, sectionOf, withSections } from './report.ts'

const document =
  'Text.\n\n<!-- load: send -->\nold\n<!-- end -->\n\nMore.\n\n<!-- load: reads -->\nkept\n<!-- end -->\n'

it('replaces only the sections of benchmarks that have run', () => {
  const section = sectionOf('today, 2 cores', 'Sends\n\n| a |\n|---|\n| $& |\n')
  expect(withSections(document, new Map([['send', section]]))).toBe(
    'Text.\n\n<!-- load: send -->\n_today, 2 cores_\n\nSends\n\n| a |\n|---|\n| $& |\n<!-- end -->\n\nMore.\n\n<!-- load: reads -->\nkept\n<!-- end -->\n',
  )
})

it('shows output without tables as text', () => {
  expect(sectionOf('today', 'LCP 900 ms')).toBe('_today_\n\n```text\nLCP 900 ms\n```\n')
})

it('rejects a benchmark for which the document has no section', () => {
  expect(() => withSections(document, new Map([['fanout', 'x']]))).toThrow('"fanout"')
})

it('says of each figure whether it meets its aim', () => {
  const table = aimsOf([
    { what: 'p99, ms', figure: 300, atMost: 300 },
    { what: 'ratio', figure: 0.8999, atLeast: 0.9 },
  ])
  expect(table).toContain('| p99, ms | 300 | ≤ 300 | yes |')
  expect(table).toContain('| ratio | 0.9 | ≥ 0.9 | no |')
})
