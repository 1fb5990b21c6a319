import { foldText } from '@bigtech/contracts'

/**
 * Exceeded only by random characters: a real message of 10,000 characters has about 6,000 tokens in Korean
 * and 9,000 in Chinese. Beyond the limit pairs are omitted, never characters or words.
 */
const MAX_TOKENS = 10_000
const MAX_WORD = 40

/**
 * Scripts without spaces between words, or with particles attached to words; also emoji. Found by any part;
 * other text by whole words.
 */
const CONTINUOUS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Extended_Pictographic}\p{Regional_Indicator}ー々]+/gu
const WORD = /[\p{L}\p{M}\p{N}_]+/gu

/** Returns the tokens of a message: words, and for continuous text every character and every pair of neighbors. */
export function indexTokens(content: string): string[] {
  const { runs, words } = split(content)
  const tokens = new Set<string>([...words, ...runs.flat()])
  for (const run of runs) {
    for (let index = 0; index + 1 < run.length && tokens.size < MAX_TOKENS; index++) {
      tokens.add(run[index]! + run[index + 1]!)
    }
  }
  return [...tokens].slice(0, MAX_TOKENS)
}

export interface SearchQuery {
  /** Required tokens of a match. */
  readonly tokens: readonly string[]
  /** Required substrings of the folded text: pairs alone do not guarantee adjacency. */
  readonly phrases: readonly string[]
}

/** Returns the search query; without tokens when it contains nothing searchable. */
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

/** Returns whether a message matches. The index may return others: its hashes collide, and pairs match without the phrase. */
export function isMatch({ tokens, phrases }: SearchQuery, content: string): boolean {
  const folded = foldText(content)
  if (!phrases.every((phrase) => folded.includes(phrase))) return false
  const own = new Set(indexTokens(content))
  return tokens.every((token) => own.has(token))
}

function split(text: string): { runs: string[][]; words: string[] } {
  const folded = foldText(text)
  return {
    runs: [...folded.matchAll(CONTINUOUS)].map(([run]) => [...run]),
    words: [...folded.replace(CONTINUOUS, ' ').matchAll(WORD)].map(([word]) =>
      [...word].slice(0, MAX_WORD).join(''),
    ),
  }
}
