import type { PageText } from './extraction.ts'

const SENTENCES = 3
const MAX_CANDIDATES = 200
const MAX_SENTENCE = 400
const MIN_SENTENCE = 15
const DAMPING = 0.85
const ROUNDS = 20
const TOO_SIMILAR = 0.6

/**
 * Returns the most central sentences in their order (TextRank). Similarity counts shared syllable pairs in
 * Korean sentences and shared words otherwise, which needs no morphology.
 */
export function summarize(pages: readonly PageText[]): string[] {
  const sentences = sentencesOf(pages)
  const bags = sentences.map(bagOf)
  const weights = bags.map((a, i) => bags.map((b, j) => (i === j ? 0 : similarity(a, b))))
  const ranks = rank(weights)
  const order = sentences.map((_sentence, index) => index).sort((a, b) => ranks[b]! - ranks[a]!)
  const chosen: number[] = []
  for (const index of order) {
    if (chosen.length === SENTENCES) break
    const isNew = chosen.every(
      (other) =>
        similarity(bags[other]!, bags[index]!) < TOO_SIMILAR * similarity(bags[index]!, bags[index]!),
    )
    if (isNew) chosen.push(index)
  }
  return chosen.sort((a, b) => a - b).map((index) => sentences[index]!)
}

/** Returns sentences, omitting table lines, which contain tabs. */
function sentencesOf(pages: readonly PageText[]): string[] {
  const prose = pages.flatMap(({ text }) => text.split('\n').filter((line) => !line.includes('\t')))
  return prose
    .join(' ')
    .slice(0, MAX_CANDIDATES * MAX_SENTENCE)
    .split(/(?<=[.!?。])\s/)
    .map((sentence) => sentence.trim())
    .filter(({ length }) => length >= MIN_SENTENCE && length <= MAX_SENTENCE)
    .slice(0, MAX_CANDIDATES)
}

function bagOf(sentence: string): Set<string> {
  const words = sentence.toLowerCase().match(/[가-힣]+|[a-z]{3,}/g) ?? []
  return new Set(words.flatMap((word) => (/[가-힣]/.test(word) ? pairsOf(word) : [word])))
}

function pairsOf(word: string): string[] {
  if (word.length === 1) return [word]
  return Array.from({ length: word.length - 1 }, (_pair, index) => word.slice(index, index + 2))
}

function similarity(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0
  for (const word of a) if (b.has(word)) shared += 1
  return shared === 0 ? 0 : shared / (Math.log(a.size + 1) + Math.log(b.size + 1))
}

function rank(weights: readonly (readonly number[])[]): number[] {
  const sums = weights.map((row) => row.reduce((sum, weight) => sum + weight, 0) || 1)
  let ranks = weights.map(() => 1)
  for (let round = 0; round < ROUNDS; round++) {
    ranks = ranks.map((_rank, i) => {
      const given = ranks.reduce((sum, each, j) => sum + (each * weights[j]![i]!) / sums[j]!, 0)
      return 1 - DAMPING + DAMPING * given
    })
  }
  return ranks
}
