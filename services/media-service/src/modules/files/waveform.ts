import { runLimited } from '../../extract/isolated.ts'

const PEAKS = 64
const SAMPLES_PER_SECOND = 4_000
const BYTES_PER_SAMPLE = 2
/** Longer voice messages have a waveform of their beginning only. */
const MAX_SECONDS = 900
const LIMITS = { wallMs: 30_000, cpuSeconds: 20, rssMegabytes: 300, heapMegabytes: 0 }

/** Decodes audio and returns its peaks, 0..100 each, and its duration; null when it cannot be decoded. */
export async function readWaveform(
  ffmpegPath: string,
  file: string,
  signal: AbortSignal,
): Promise<{ peaks: number[]; durationMs: number } | null> {
  const input = ['-nostdin', '-v', 'error', '-protocol_whitelist', 'file,pipe', '-i', file]
  const output = ['-map', '0:a:0', '-ac', '1', '-ar', String(SAMPLES_PER_SECOND), '-t', String(MAX_SECONDS)]
  const raw = ['-f', 's16le', 'pipe:1']
  try {
    return peaksOf(await runLimited(ffmpegPath, [...input, ...output, ...raw], LIMITS, signal))
  } catch (err) {
    if (signal.aborted) throw err
    return null
  }
}

/** @param samples 16 bit, little endian, one channel */
export function peaksOf(samples: Buffer): { peaks: number[]; durationMs: number } | null {
  const count = Math.floor(samples.length / BYTES_PER_SAMPLE)
  if (count === 0) return null
  const loudest = Array.from({ length: PEAKS }, () => 0)
  for (let index = 0; index < count; index++) {
    const slot = Math.floor((index * PEAKS) / count)
    loudest[slot] = Math.max(loudest[slot]!, Math.abs(samples.readInt16LE(index * BYTES_PER_SAMPLE)))
  }
  // Relative to the maximum, so that quiet speech is visible too. Silence stays flat.
  const top = Math.max(...loudest, 512)
  return {
    peaks: loudest.map((value) => Math.round((value / top) * 100)),
    durationMs: Math.round((count / SAMPLES_PER_SECOND) * 1_000),
  }
}
