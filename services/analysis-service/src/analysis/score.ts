import type { AnalysisResult } from '@bigtech/contracts'
import { type Alignment, align } from './alignment.ts'
import { type Features, HOP, measure, percentile } from './features.ts'
import { SAMPLE_RATE } from './sample-rate.ts'

/** Reasons for refusing to score a recording. */
export type Refusal = 'NO_SPEECH' | 'NOT_SPEECH' | 'TOO_SHORT' | 'TOO_LONG'

const FRAME_MS = (HOP / SAMPLE_RATE) * 1_000
const LEAST_SPEECH_SECONDS = 0.25
const LEAST_FRAMES = 20
/** Minimum share of voiced frames: noise or music has few. */
const LEAST_VOICED = 0.12
const LEAST_PACE = 0.33
const MOST_PACE = 3

/**
 * Scores a recording of a text against its reference clip, 0 to 100 each. The thresholds were tuned on
 * synthetic speech: trust the order of scores, not their values.
 */
export function score(
  referenceSamples: Float32Array,
  samples: Float32Array,
  text: string,
): AnalysisResult | Refusal {
  const reference = measure(referenceSamples)
  const recording = measure(samples)
  const refusal = refusalOf(reference, recording)
  if (refusal) return refusal
  const alignment = align(reference, recording)
  const words = scoreWords(text, alignment, reference)
  const pronunciation = pronunciationOf(words, alignment)
  // Intonation and delivery are meaningless for other words.
  const trust = Math.min(1, pronunciation / 60)
  const melody = compareMelody(reference, recording, alignment)
  const delivery = compareDelivery(reference, recording, alignment)
  const intonation =
    trust * (55 * melody.likeness + 25 * melody.range + 20 * Math.exp(-melody.offSemitones / 3))
  const emotion =
    trust *
    (30 * delivery.loudness +
      15 * delivery.dynamics +
      15 * delivery.brightness +
      20 * delivery.pace +
      20 * melody.range)
  const scores = {
    pronunciation: rounded(pronunciation),
    intonation: rounded(intonation),
    emotion: rounded(emotion),
    overall: rounded(0.5 * pronunciation + 0.3 * intonation + 0.2 * emotion),
  }
  const quality = qualityOf(recording)
  const pace = hundredths(lengthOf(recording) / lengthOf(reference))
  return {
    scores,
    feedback: {
      quality,
      pace,
      pitch_range: hundredths(melody.range),
      words: words.map(({ syllables: _syllables, ...word }) => word),
      tips: tipsOf({ quality, pace, scores, words, pitchRatio: melody.pitchRatio }),
    },
  }
}

const lengthOf = ({ from, to }: Features) => to - from
const rounded = (value: number) => Math.round(value * 10) / 10
const hundredths = (value: number) => Math.round(value * 100) / 100

function refusalOf(reference: Features, recording: Features): Refusal | undefined {
  const frames = lengthOf(recording)
  if (recording.speechSeconds < LEAST_SPEECH_SECONDS || frames < LEAST_FRAMES) return 'NO_SPEECH'
  const voiced = recording.pitch.filter((hertz) => hertz > 0).length / frames
  if (voiced < LEAST_VOICED) return 'NOT_SPEECH'
  const pace = frames / lengthOf(reference)
  if (pace < LEAST_PACE) return 'TOO_SHORT'
  return pace > MOST_PACE ? 'TOO_LONG' : undefined
}

interface ScoredWord {
  readonly word: string
  readonly score: number
  readonly start_ms: number
  readonly end_ms: number
  readonly syllables: number
}

/** Returns the number of syllables: one per block of Hangul, groups of vowels in Latin script. */
function syllablesOf(word: string): number {
  const blocks = word.match(/[가-힣]/g)?.length ?? 0
  if (blocks > 0) return blocks
  return Math.max(1, word.toLowerCase().match(/[aeiouy]+/g)?.length ?? 0)
}

/** Assigns each word a share of the reference by syllables, and scores it relative to the rest of the clip. */
function scoreWords(text: string, { distances }: Alignment, { from }: Features): ScoredWord[] {
  const words = text.split(/\s+/).filter(Boolean)
  const total = words.reduce((sum, word) => sum + syllablesOf(word), 0)
  let spoken = 0
  const parts = words.map((word) => {
    const syllables = syllablesOf(word)
    const start = Math.floor((spoken / total) * distances.length)
    spoken += syllables
    const end = Math.max(start + 1, Math.floor((spoken / total) * distances.length))
    const cost = distances.slice(start, end).reduce((sum, value) => sum + value, 0) / (end - start)
    return { word, syllables, cost, start, end }
  })
  const usual = percentile(
    parts.map(({ cost }) => cost),
    0.25,
  )
  return parts.map(({ word, syllables, cost, start, end }) => ({
    word,
    syllables,
    score: Math.round(falling(cost + 0.8 * Math.max(0, cost - usual - 0.12), 0.62, 18)),
    start_ms: Math.round((from + start) * FRAME_MS),
    end_ms: Math.round((from + end) * FRAME_MS),
  }))
}

/** Returns 100 far below `middle`, 50 at it, 0 far above. */
function falling(value: number, middle: number, steepness: number): number {
  return 100 / (1 + Math.exp((value - middle) * steepness))
}

function pronunciationOf(words: readonly ScoredWord[], { cost }: Alignment): number {
  const total = words.reduce((sum, { syllables }) => sum + syllables, 0)
  const mean = words.reduce((sum, word) => sum + word.score * word.syllables, 0) / Math.max(1, total)
  return Math.min(mean, falling(cost, 0.66, 22))
}

/** Compares pitch in semitones relative to each speaker's median, so that a high voice is no error. */
function compareMelody(reference: Features, recording: Features, { path }: Alignment) {
  const medianOf = ({ pitch }: Features) =>
    percentile(
      pitch.filter((hertz) => hertz > 0),
      0.5,
    )
  const [center, ownCenter] = [medianOf(reference), medianOf(recording)]
  const theirs: number[] = []
  const own: number[] = []
  for (const [row, column] of path) {
    const [hertz, ownHertz] = [
      reference.pitch[reference.from + row]!,
      recording.pitch[recording.from + column]!,
    ]
    if (hertz === 0 || ownHertz === 0) continue
    theirs.push(12 * Math.log2(hertz / center))
    own.push(12 * Math.log2(ownHertz / ownCenter))
  }
  const squares = theirs.reduce((sum, value, index) => sum + (value - own[index]!) ** 2, 0)
  const [spread, ownSpread] = [deviation(theirs), deviation(own)]
  return {
    likeness: Math.max(0, correlation(theirs, own)),
    range: likeRatio(spread, ownSpread),
    offSemitones: theirs.length > 0 ? Math.sqrt(squares / theirs.length) : 12,
    pitchRatio: ownSpread / (spread + 1e-6),
  }
}

/** Compares the dynamics of loudness, brightness and pace. */
function compareDelivery(reference: Features, recording: Features, { path }: Alignment) {
  const along = (values: Float64Array, from: number, side: 0 | 1) =>
    path.map((step) => values[from + step[side]]!)
  const loud = along(reference.energyDb, reference.from, 0)
  const ownLoud = along(recording.energyDb, recording.from, 1)
  const bright = along(reference.centroid, reference.from, 0)
  const ownBright = along(recording.centroid, recording.from, 1)
  const pace = lengthOf(recording) / lengthOf(reference)
  return {
    loudness: Math.max(0, correlation(loud, ownLoud)),
    dynamics: likeRatio(deviation(loud), deviation(ownLoud)),
    brightness: Math.max(0, correlation(bright, ownBright)),
    pace: Math.exp(-Math.abs(Math.log(pace)) * 1.6),
  }
}

const likeRatio = (one: number, other: number) => Math.min(one, other) / (Math.max(one, other) + 1e-6)

const meanOf = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)

function deviation(values: readonly number[]): number {
  const mean = meanOf(values)
  return Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)))
}

/** Returns Pearson's correlation; 0 for too few values. */
function correlation(one: readonly number[], other: readonly number[]): number {
  if (one.length < 8) return 0
  const [mean, otherMean] = [meanOf(one), meanOf(other)]
  const products = one.map((value, index) => (value - mean) * (other[index]! - otherMean))
  return meanOf(products) / (deviation(one) * deviation(other) + 1e-9)
}

function qualityOf({ signalToNoiseDb, clipped }: Features): AnalysisResult['feedback']['quality'] {
  if (signalToNoiseDb < 10) return 'noisy'
  return clipped > 0.01 ? 'clipped' : 'ok'
}

type Tip = AnalysisResult['feedback']['tips'][number]

function tipsOf(found: {
  quality: string
  pace: number
  pitchRatio: number
  scores: AnalysisResult['scores']
  words: readonly ScoredWord[]
}): Tip[] {
  const { quality, pace, pitchRatio, scores, words } = found
  const tips: Tip[] = []
  if (quality === 'noisy') tips.push('NOISY_RECORDING')
  if (quality === 'clipped') tips.push('TOO_LOUD')
  if (words.some((word) => word.score < 50)) tips.push('REPEAT_UNCLEAR_WORDS')
  if (pace > 1.25) tips.push('SPEAK_FASTER')
  if (pace < 0.8) tips.push('SPEAK_SLOWER')
  if (scores.intonation < 60 && pitchRatio < 0.6) tips.push('MORE_MELODY')
  else if (scores.intonation < 60) tips.push('FOLLOW_THE_MELODY')
  if (scores.emotion < 60) tips.push('MORE_EXPRESSION')
  return tips
}
