import FFT from 'fft.js'
import { SAMPLE_RATE } from './sample-rate.ts'

/** 25 ms windows every 10 ms, as usual in speech processing. */
const WINDOW = 400
export const HOP = 160
export const FFT_SIZE = 512
const PRE_EMPHASIS = 0.97
const CLIPPED_FROM = 0.99

/** Features per frame (10 ms) of a recording, and the position of its speech. */
export interface Features {
  /** Power spectra, one per frame. */
  readonly spectra: readonly Float64Array[]
  readonly energyDb: Float64Array
  /** Fundamental frequency in Hz; 0 for unvoiced frames. */
  readonly pitch: Float64Array
  /** Spectral centroid in Hz, a measure of brightness. */
  readonly centroid: Float64Array
  /** First frame of speech, and the frame after the last. */
  readonly from: number
  readonly to: number
  readonly speechSeconds: number
  readonly signalToNoiseDb: number
  /** Share of clipped samples. */
  readonly clipped: number
}

const hamming = Float64Array.from(
  { length: WINDOW },
  (_, index) => 0.54 - 0.46 * Math.cos((2 * Math.PI * index) / (WINDOW - 1)),
)

/** @param samples 16 kHz, one channel, -1..1 */
export function measure(samples: Float32Array): Features {
  const count = Math.max(0, Math.floor((samples.length - WINDOW) / HOP) + 1)
  const transform = createSpectrum()
  const spectra: Float64Array[] = []
  const energyDb = new Float64Array(count)
  const centroid = new Float64Array(count)
  for (let frame = 0; frame < count; frame++) {
    const spectrum = transform(samples, frame * HOP)
    spectra.push(spectrum)
    energyDb[frame] = energyOf(samples, frame * HOP)
    centroid[frame] = centroidOf(spectrum)
  }
  const floor = percentile(energyDb, 0.1)
  const top = percentile(energyDb, 0.95)
  const isSpeech = findSpeech(energyDb, floor, top)
  const { from, to } = rangeOf(isSpeech)
  const pitch = new Float64Array(count)
  let speechFrames = 0
  for (let frame = from; frame < to; frame++) {
    if (!isSpeech[frame]) continue
    speechFrames++
    pitch[frame] = pitchAt(samples, frame * HOP + WINDOW / 2)
  }
  return {
    spectra,
    energyDb,
    pitch: withoutOctaveJumps(pitch),
    centroid,
    from,
    to,
    speechSeconds: (speechFrames * HOP) / SAMPLE_RATE,
    signalToNoiseDb: top - floor,
    clipped: samples.filter((sample) => Math.abs(sample) > CLIPPED_FROM).length / Math.max(1, samples.length),
  }
}

function createSpectrum() {
  const fft = new FFT(FFT_SIZE)
  const input = new Float64Array(FFT_SIZE)
  const output = fft.createComplexArray()
  return (samples: Float32Array, offset: number): Float64Array => {
    for (let index = 0; index < WINDOW; index++) {
      const emphasized = samples[offset + index]! - PRE_EMPHASIS * (samples[offset + index - 1] ?? 0)
      input[index] = emphasized * hamming[index]!
    }
    fft.realTransform(output, input)
    return Float64Array.from(
      { length: FFT_SIZE / 2 + 1 },
      (_, bin) => output[2 * bin]! ** 2 + output[2 * bin + 1]! ** 2,
    )
  }
}

function energyOf(samples: Float32Array, offset: number): number {
  let sum = 0
  for (let index = 0; index < WINDOW; index++) sum += samples[offset + index]! ** 2
  return 10 * Math.log10(sum / WINDOW + 1e-10)
}

function centroidOf(spectrum: Float64Array): number {
  let weighted = 0
  let total = 1e-12
  for (let bin = 0; bin < spectrum.length; bin++) {
    weighted += bin * spectrum[bin]!
    total += spectrum[bin]!
  }
  return (weighted / total) * (SAMPLE_RATE / FFT_SIZE)
}

/** Marks speech: frames above the noise floor and not far below the loudest ones. */
function findSpeech(energyDb: Float64Array, floor: number, top: number): Uint8Array {
  const threshold = Math.max(floor + Math.min(12, (top - floor) * 0.35), top - 35, -62)
  return Uint8Array.from(energyDb, (energy) => (energy > threshold ? 1 : 0))
}

/** Returns the range of speech. A single loud frame is a click, not speech. */
function rangeOf(isSpeech: Uint8Array): { from: number; to: number } {
  let from = 0
  let to = isSpeech.length
  while (from < to && !(isSpeech[from] && isSpeech[from + 2])) from++
  while (to > from && !(isSpeech[to - 1] && isSpeech[to - 3])) to--
  return { from, to }
}

const YIN_WINDOW = 512
/** 65 to 450 Hz at 16 kHz. */
const LONGEST_LAG = 246
const SHORTEST_LAG = 35
const YIN_THRESHOLD = 0.18

/** Fundamental frequency in Hz by YIN (de Cheveigne and Kawahara, 2002) with parabolic interpolation; 0: unvoiced. */
function pitchAt(samples: Float32Array, center: number): number {
  const start = center - 384
  if (start < 0 || start + YIN_WINDOW + LONGEST_LAG >= samples.length) return 0
  const normalized = cumulativeMeanDifference(samples, start)
  for (let lag = SHORTEST_LAG; lag < LONGEST_LAG; lag++) {
    if (normalized[lag]! >= YIN_THRESHOLD) continue
    while (lag + 1 < LONGEST_LAG && normalized[lag + 1]! < normalized[lag]!) lag++
    const [before, at, after] = [normalized[lag - 1]!, normalized[lag]!, normalized[lag + 1]!]
    const shift = (before - after) / (2 * (before - 2 * at + after) + 1e-12)
    return SAMPLE_RATE / (lag + (Math.abs(shift) < 1 ? shift : 0))
  }
  return 0
}

function cumulativeMeanDifference(samples: Float32Array, start: number): Float64Array {
  const normalized = new Float64Array(LONGEST_LAG + 1)
  normalized[0] = 1
  let running = 0
  for (let lag = 1; lag <= LONGEST_LAG; lag++) {
    let difference = 0
    for (let index = 0; index < YIN_WINDOW; index += 2)
      difference += (samples[start + index]! - samples[start + index + lag]!) ** 2
    running += difference
    normalized[lag] = (difference * lag) / (running + 1e-12)
  }
  return normalized
}

/** Removes octave errors of YIN (twice or half of the true frequency) by a median of five frames. */
function withoutOctaveJumps(pitch: Float64Array): Float64Array {
  const smooth = pitch.slice()
  for (let frame = 2; frame < pitch.length - 2; frame++) {
    if (pitch[frame] === 0) continue
    const near = [...pitch.subarray(frame - 2, frame + 3)].filter((hertz) => hertz > 0).sort((a, b) => a - b)
    smooth[frame] = near[Math.floor(near.length / 2)]!
  }
  return smooth
}

/** Returns a percentile, 0 for no values. @param share 0..1 */
export function percentile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
