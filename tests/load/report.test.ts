import { expect, it } from 'vitest'
import { sectionOf, withSections } from './report.ts'

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
