import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { SAMPLE_RATE } from './sample-rate.ts'

/** One second more than allowed, so that a longer recording is detected. */
export const MAX_SECONDS = 30
const DECODE_MS = 15_000
const BYTES_PER_SAMPLE = 4

const run = promisify(execFile)

/** Decodes any audio file to 16 kHz, one channel, -1..1. @throws Error when ffmpeg cannot read it */
export async function decode(ffmpegPath: string, file: string): Promise<Float32Array> {
  const input = ['-nostdin', '-v', 'error', '-protocol_whitelist', 'file,pipe', '-i', file]
  const output = ['-map', '0:a:0', '-ac', '1', '-ar', String(SAMPLE_RATE), '-t', String(MAX_SECONDS + 1)]
  const { stdout } = await run(ffmpegPath, [...input, ...output, '-f', 'f32le', 'pipe:1'], {
    encoding: 'buffer',
    timeout: DECODE_MS,
    maxBuffer: SAMPLE_RATE * BYTES_PER_SAMPLE * (MAX_SECONDS + 2),
    env: {},
  })
  // Copied, because a slice of a buffer may be unaligned.
  return new Float32Array(new Uint8Array(stdout).buffer, 0, Math.floor(stdout.length / BYTES_PER_SAMPLE))
}
