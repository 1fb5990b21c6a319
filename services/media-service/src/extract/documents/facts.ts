import type { Fact, PageText } from './extraction.ts'

const MAX_FACTS = 500
/** Maximum length of analyzed text: the rules take about 30 ms per page. */
const MAX_CHARACTERS = 300_000

type Kind = Fact['kind']
interface Rule {
  readonly kind: Kind
  readonly pattern: RegExp
  /** Returns the normalized value, or undefined for a false match. */
  readonly read: (match: RegExpMatchArray) => string | undefined
}

const rules: readonly Rule[] = [
  {
    kind: 'date',
    pattern:
      /(?<!\d)((?:19|20)\d\d)\s?[.\-/년]\s?(1[0-2]|0?[1-9])\s?[.\-/월]\s?(3[01]|[12]\d|0?[1-9])(?!\d)/g,
    read: ([, year, month, day]) => readDate(Number(year), Number(month), Number(day)),
  },
  // A run of characters used in amounts; `readAmount` finds the amount in it. Korean fonts render the
  // backslash as the won sign.
  { kind: 'amount_krw', pattern: /[₩\\\d][\d,.조억만천백십 ]{0,60}원?/g, read: ([text]) => readAmount(text) },
  // Matches from `@` on and checks the local part backwards, so that hostile text takes linear time.
  {
    kind: 'email',
    pattern: /@/g,
    read: ({ index = 0, input = '' }) => {
      const labels = (/^[\w.-]*/.exec(input.slice(index + 1, index + 256))?.[0] ?? '').split('.')
      // Remove the sentence's full stop.
      while (labels.at(-1) === '') labels.pop()
      if (labels.length < 2 || labels.some((label) => label === '' || label.length > 63)) return undefined
      let start = index
      while (index - start < 64 && /[\w.+-]/.test(input[start - 1] ?? '')) start -= 1
      return start === index ? undefined : `${input.slice(start, index)}@${labels.join('.')}`.toLowerCase()
    },
  },
  {
    kind: 'phone',
    pattern: /(?<![\d-])(01[016-9]|02|0[3-6]\d|070|080|050\d)[-). ]?(\d{3,4})[- ]?(\d{4})(?!\d)/g,
    read: ([, area, middle, last]) => `${area}-${middle}-${last}`,
  },
  {
    kind: 'business_number',
    pattern: /(?<![\d-])\d{3}-\d{2}-\d{5}(?![\d-])/g,
    read: ([text]) => (isBusinessNumber(text) ? text : undefined),
  },
  {
    kind: 'percent',
    pattern: /(?<![\d.])\d{1,3}(?:\.\d{1,6})?\s?%/g,
    read: ([text]) => text.replace(/\s/g, ''),
  },
]

/** Returns each fact once with its number of occurrences, in document order. */
export function factsOf(pages: readonly PageText[]): Fact[] {
  const found = new Map<string, Fact & { count: number }>()
  let left = MAX_CHARACTERS
  for (const { page, text } of pages) {
    const part = text.slice(0, left)
    left -= part.length
    for (const { kind, value, text: shown } of matchesOf(part)) {
      const key = `${kind} ${value}`
      const known = found.get(key)
      if (known) known.count += 1
      else if (found.size < MAX_FACTS) found.set(key, { kind, value, text: shown, page, count: 1 })
    }
  }
  return [...found.values()]
}

function matchesOf(text: string): { kind: Kind; value: string; text: string }[] {
  return rules
    .flatMap(({ kind, pattern, read }) =>
      [...text.matchAll(pattern)].flatMap((match) => {
        const value = read(match)
        const text = kind === 'email' ? value : match[0].trim()
        return value === undefined ? [] : [{ kind, value, text: text ?? '', at: match.index }]
      }),
    )
    .sort((a, b) => a.at - b.at)
}

function readDate(year: number, month: number, day: number): string | undefined {
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 ? date.toISOString().slice(0, 10) : undefined
}

/** Parses `₩12,345,000`, `1억 2,300만원`, `3천만 원`; undefined without a currency sign. */
function readAmount(run: string): string | undefined {
  const text = run.trim()
  const isWon = text.endsWith('원')
  const sign = Math.max(text.lastIndexOf('₩'), text.lastIndexOf('\\'))
  if (!isWon && sign < 0) return undefined
  const parts = text
    .slice(sign + 1)
    .replace(/원$/, '')
    .trim()
    .split(' ')
  // Parts that end with a unit belong to the next part; a bare number before them is unrelated.
  let from = parts.length - 1
  while (from > 0 && /[조억만천]$/.test(parts[from - 1]!)) from -= 1
  return parseKoreanNumber(sign >= 0 ? parts[0]! : parts.slice(from).join(''))?.toString()
}

const units: Readonly<Record<string, number>> = { 조: 1e12, 억: 1e8, 만: 1e4, 천: 1e3, 백: 1e2, 십: 10 }
const MYRIAD = 1e4

/** Parses `12,345`, `1억 2,300만`, `3천만`, `1.5억`; undefined for other text. */
export function parseKoreanNumber(text: string): number | undefined {
  const plain = text.replace(/[,\s]/g, '')
  if (!/^\d[\d.조억만천백십]*$/.test(plain)) return undefined
  let total = 0
  // Value below the next myriad: multiples of 천, 백 and 십.
  let section = 0
  for (const [, digits = '', unit = ''] of plain.matchAll(/([\d.]*)([조억만천백십]?)/g)) {
    if (digits === '' && unit === '') continue
    const value = digits === '' ? 1 : Number(digits)
    if (Number.isNaN(value)) return undefined
    const size = units[unit] ?? 1
    if (size >= MYRIAD) {
      total += (section + (digits === '' && section > 0 ? 0 : value)) * size
      section = 0
    } else section += value * size
  }
  const sum = Math.round(total + section)
  return Number.isSafeInteger(sum) ? sum : undefined
}

/** Checks the check digit of a Korean business registration number. */
export function isBusinessNumber(text: string): boolean {
  const digits = [...text.replaceAll('-', '')].map(Number)
  const weights = [1, 3, 7, 1, 3, 7, 1, 3, 5]
  const sum = weights.reduce((all, weight, index) => all + weight * digits[index]!, 0)
  const carried = sum + Math.floor((digits[8]! * 5) / 10)
  return digits.length === 10 && (10 - (carried % 10)) % 10 === digits[9]
}
