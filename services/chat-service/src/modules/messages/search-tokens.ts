const MAX_TOKENS = 3_000
const MAX_WORD = 40

/** Scripts that are written without spaces between words, or glue particles to them. */
const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}ー々]+/gu
const WORD = /[\p{L}\p{N}_]+/gu

/** One spelling for what people take for the same text: width, case, composition. */
export function normalise(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

/** What a message is found by: words, and for CJK text every character and every pair of neighbours. */
export function indexTokens(content: string): string[] {
  const tokens = new Set<string>()
  const { runs, words } = split(content)
  for (const word of words) tokens.add(word)
  for (const run of runs) {
    for (const [index, character] of run.entries()) {
      if (tokens.size >= MAX_TOKENS) return [...tokens]
      tokens.add(character)
      const next = run[index + 1]
      if (next !== undefined) tokens.add(character + next)
    }
  }
  return [...tokens]
}

export interface SearchQuery {
  /** All of them must be among a message's tokens. */
  readonly tokens: readonly string[]
  /** And each of these in its normalised text: pairs alone do not say that they are neighbours. */
  readonly phrases: readonly string[]
}

/** What to look for; no tokens when there is nothing in the query that could be found. */
export function searchQuery(q: string): SearchQuery {
  const tokens = new Set<string>()
  const { runs, words } = split(q)
  for (const word of words) tokens.add(word)
  for (const run of runs) {
    if (run.length === 1) tokens.add(run[0]!)
    for (let index = 0; index + 1 < run.length; index++) tokens.add(run[index]! + run[index + 1]!)
  }
  return { tokens: [...tokens], phrases: runs.filter((run) => run.length > 2).map((run) => run.join('')) }
}

function split(text: string): { runs: string[][]; words: string[] } {
  const normalised = normalise(text)
  return {
    runs: [...normalised.matchAll(CJK)].map(([run]) => [...run]),
    words: [...normalised.replace(CJK, ' ').matchAll(WORD)].map(([word]) =>
      [...word].slice(0, MAX_WORD).join(''),
    ),
  }
}
