/** The names used in a query: metrics, and labels with their metric where it is unambiguous. */
export interface QueryParts {
  metrics: string[]
  labels: string[]
}

const keywords = new Set([
  ...[
    'by',
    'without',
    'on',
    'ignoring',
    'group_left',
    'group_right',
    'offset',
    'bool',
    'and',
    'or',
    'unless',
  ],
  ...['inf', 'nan', 'start', 'end', 'atan2'],
])
const grouping = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right'])

/**
 * Extracts the names of a PromQL expression: identifiers are metrics unless they are called, are keywords,
 * or are in braces or a grouping, where they are labels.
 */
export function partsOf(expression: string): QueryParts {
  const plain = expression
    .replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""')
    .replaceAll(/#.*$/gm, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\boffset\s+-?\d+\w*/g, '')
  const metrics = new Set<string>()
  const labels = new Set<string>()
  const withoutLists = plain.replaceAll(/\b(\w+)\s*\(([\w\s,]*)\)/g, (whole, word: string, list: string) => {
    if (!grouping.has(word)) return whole
    for (const label of list.match(/\w+/g) ?? []) labels.add(label)
    return ' '
  })
  const withoutSelectors = withoutLists.replaceAll(/\{([^}]*)\}/g, (_whole, matchers: string) => {
    for (const [, label] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) labels.add(label as string)
    return ' '
  })
  for (const match of withoutSelectors.matchAll(/[a-zA-Z_:][\w:]*/g)) {
    const before = withoutSelectors[match.index - 1] ?? ' '
    const after = withoutSelectors.slice(match.index + match[0].length).trimStart()[0]
    // `1e6`: a number, not a name.
    if (/[\d.]/.test(before) || after === '(' || keywords.has(match[0].toLowerCase())) continue
    metrics.add(match[0])
  }
  return { metrics: [...metrics].sort(), labels: [...labels].sort() }
}
