import { type Features, FFT_SIZE } from './features.ts'
import { SAMPLE_RATE } from './sample-rate.ts'

const FILTERS = 26
/** Cepstra 1 to 12: the zeroth is loudness, which depends on the microphone. */
const CEPSTRA = 12
const LOWEST_HZ = 80
const HIGHEST_HZ = 7_000
const DELTA_WEIGHT = 1.6
/** Vocal tract lengths differ between speakers: the spectrum is stretched by each of these factors. */
const WARPS = [0.86, 0.93, 1, 1.08, 1.16]

/** The alignment of two recordings of one text. */
export interface Alignment {
  /** Mean distance per step: 0 for identical recordings. */
  readonly cost: number
  /** Pairs of frames, relative to the start of speech of each recording. */
  readonly path: readonly (readonly [reference: number, recording: number])[]
  /** Distance at each frame of the reference. */
  readonly distances: Float64Array
}

/** Aligns by dynamic time warping, with the best-fitting stretching of the spectrum. */
export function align(reference: Features, recording: Features): Alignment {
  const target = cepstraOf(reference, 1)
  const [first, ...others] = WARPS.map((warp) => warpTime(target, cepstraOf(recording, warp)))
  return others.reduce((best, next) => (next.cost < best.cost ? next : best), first!)
}

interface Filter {
  readonly start: number
  readonly weights: Float64Array
}

const toMel = (hertz: number) => 2_595 * Math.log10(1 + hertz / 700)
const fromMel = (mel: number) => 700 * (10 ** (mel / 2_595) - 1)

/** Returns triangular filters over the mel scale, shifted by `warp`. */
function filterBank(warp: number): Filter[] {
  const [low, high] = [toMel(LOWEST_HZ), toMel(HIGHEST_HZ)]
  const edge = (index: number) =>
    Math.min(7_900, fromMel(low + ((high - low) * index) / (FILTERS + 1)) * warp) * (FFT_SIZE / SAMPLE_RATE)
  return Array.from({ length: FILTERS }, (_, index) => {
    const [left, center, right] = [edge(index), edge(index + 1), edge(index + 2)]
    const start = Math.max(1, Math.ceil(left))
    const end = Math.min(FFT_SIZE / 2, Math.floor(right))
    const weights = Float64Array.from({ length: Math.max(1, end - start + 1) }, (_unused, offset) => {
      const bin = start + offset
      return bin <= center ? (bin - left) / (center - left + 1e-9) : (right - bin) / (right - center + 1e-9)
    })
    return { start, weights }
  })
}

const cosines = Array.from({ length: CEPSTRA }, (_, order) =>
  Float64Array.from(
    { length: FILTERS },
    (_unused, filter) =>
      Math.cos((Math.PI * (order + 1) * (filter + 0.5)) / FILTERS) * Math.sqrt(2 / FILTERS),
  ),
)

/** Returns cepstra and their deltas for each frame of speech, normalized to mean and variance. */
function cepstraOf({ spectra, from, to }: Features, warp: number): Float64Array[] {
  const bank = filterBank(warp)
  const rows = spectra.slice(from, to).map((spectrum) => {
    const energies = bank.map(({ start, weights }) => Math.log(weighted(spectrum, start, weights)))
    return Float64Array.from(cosines, (row) =>
      row.reduce((sum, cosine, index) => sum + cosine * energies[index]!, 0),
    )
  })
  normalize(rows)
  return rows.map((row, frame) => withDeltas(rows, row, frame))
}

function weighted(spectrum: Float64Array, start: number, weights: Float64Array): number {
  let sum = 1e-10
  for (let index = 0; index < weights.length; index++) sum += weights[index]! * spectrum[start + index]!
  return sum
}

function normalize(rows: readonly Float64Array[]): void {
  for (let order = 0; order < CEPSTRA; order++) {
    const values = rows.map((row) => row[order]!)
    const mean = values.reduce((sum, value) => sum + value, 0) / (rows.length || 1)
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (rows.length || 1)
    const deviation = Math.sqrt(variance) + 1e-6
    for (const row of rows) row[order] = (row[order]! - mean) / deviation
  }
}

function withDeltas(rows: readonly Float64Array[], row: Float64Array, frame: number): Float64Array {
  const at = (offset: number) => rows[Math.max(0, Math.min(rows.length - 1, frame + offset))]!
  const [before2, before, after, after2] = [at(-2), at(-1), at(1), at(2)]
  const full = new Float64Array(2 * CEPSTRA)
  full.set(row)
  for (let order = 0; order < CEPSTRA; order++) {
    const slope = after[order]! - before[order]! + 2 * (after2[order]! - before2[order]!)
    full[CEPSTRA + order] = (slope / 10) * DELTA_WEIGHT
  }
  return full
}

function distance(one: Float64Array, other: Float64Array): number {
  let sum = 0
  for (let index = 0; index < one.length; index++) sum += (one[index]! - other[index]!) ** 2
  return Math.sqrt(sum / one.length)
}

const DIAGONAL = 0
const UP = 1
const LEFT = 2

/** Off-diagonal steps cost a little more than half of a diagonal one. */
const SIDE_STEP = 1.15

/** Dynamic time warping in a band of 20 % and 15 frames around the diagonal, which bounds time and memory. */
function warpTime(reference: readonly Float64Array[], recording: readonly Float64Array[]): Alignment {
  const [rows, columns] = [reference.length, recording.length]
  const band = Math.max(15, Math.floor(0.2 * Math.max(rows, columns)) + 15)
  const width = columns + 1
  const costs = new Float32Array((rows + 1) * width).fill(Number.POSITIVE_INFINITY)
  const steps = new Uint8Array((rows + 1) * width)
  costs[0] = 0
  for (let row = 1; row <= rows; row++) {
    const center = Math.round((row * columns) / rows)
    for (let column = Math.max(1, center - band); column <= Math.min(columns, center + band); column++) {
      const local = distance(reference[row - 1]!, recording[column - 1]!)
      const choices = [
        costs[(row - 1) * width + column - 1]! + 2 * local,
        costs[(row - 1) * width + column]! + SIDE_STEP * local,
        costs[row * width + column - 1]! + SIDE_STEP * local,
      ]
      const cheapest = Math.min(...choices)
      costs[row * width + column] = cheapest
      steps[row * width + column] = choices.indexOf(cheapest)
    }
  }
  const path = walkBack(steps, rows, columns)
  const cost = costs[rows * width + columns]! / (rows + columns)
  return { cost, path, distances: distancesAlong(path, reference, recording) }
}

function walkBack(steps: Uint8Array, rows: number, columns: number): [number, number][] {
  const path: [number, number][] = []
  let [row, column] = [rows, columns]
  while (row > 0 && column > 0) {
    path.push([row - 1, column - 1])
    const step = steps[row * (columns + 1) + column]
    if (step === DIAGONAL || step === UP) row--
    if (step === DIAGONAL || step === LEFT) column--
  }
  return path.reverse()
}

function distancesAlong(
  path: Alignment['path'],
  reference: readonly Float64Array[],
  recording: readonly Float64Array[],
): Float64Array {
  const sums = new Float64Array(reference.length)
  const counts = new Float64Array(reference.length)
  for (const [row, column] of path) {
    sums[row]! += distance(reference[row]!, recording[column]!)
    counts[row]! += 1
  }
  // A reference frame without a counterpart gets the maximum distance.
  return sums.map((sum, row) => (counts[row] ? sum / counts[row]! : 2))
}
