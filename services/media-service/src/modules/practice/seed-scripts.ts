import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { ObjectStore } from '../../infrastructure/object-store.ts'
import type { ScriptRepository } from './script.repository.ts'
import { voices, writtenScripts } from './seed-data.ts'
import { clipKeyOf } from './take.ts'

export interface SeedOptions {
  readonly scripts: Pick<ScriptRepository, 'seed' | 'textsOf'>
  readonly objects: Pick<ObjectStore, 'put' | 'sizeOf'>
  readonly espeakPath: string
}

const run = promisify(execFile)
const WORDS_PER_MINUTE = 140
const PAUSE_MS = 600
const MAX_CLIP_BYTES = 10 * 2 ** 20
const HEADER_BYTES = 44

/**
 * Synthesizes the clips of the scripts and stores both; replaces scripts with changed texts or missing
 * clips. Returns the number of stored scripts.
 */
export async function seedScripts({ scripts, objects, espeakPath }: SeedOptions): Promise<number> {
  let stored = 0
  for (const { lines, ...script } of writtenScripts) {
    const texts = lines.map(([, text]) => text)
    const isThere = (await objects.sizeOf(clipKeyOf(script.slug, lines.length))) !== undefined
    if (isThere && JSON.stringify(await scripts.textsOf(script.slug)) === JSON.stringify(texts)) continue
    let startMs = 0
    const tokens = []
    for (const [index, [actor, text]] of lines.entries()) {
      const clip = await speak(espeakPath, voices[actor], text)
      const clipKey = clipKeyOf(script.slug, index + 1)
      await objects.put(clipKey, clip, 'audio/wav')
      const endMs = startMs + durationOf(clip)
      tokens.push({ actor, text, startMs, endMs, clipKey })
      startMs = endMs + PAUSE_MS
    }
    await scripts.seed({ ...script, tokens })
    stored++
  }
  return stored
}

/** Returns a WAV with the true length in its header, which espeak-ng cannot know when it writes to a pipe. */
async function speak(espeakPath: string, voice: string, text: string): Promise<Buffer> {
  const args = ['-v', voice, '-s', String(WORDS_PER_MINUTE), '--stdout', text]
  const { stdout } = await run(espeakPath, args, { encoding: 'buffer', maxBuffer: MAX_CLIP_BYTES })
  stdout.writeUInt32LE(stdout.length - 8, 4)
  stdout.writeUInt32LE(stdout.length - HEADER_BYTES, 40)
  return stdout
}

/** Returns the duration in milliseconds of a WAV with the plain 44-byte header. */
function durationOf(wav: Buffer): number {
  const bytesPerSecond = wav.readUInt32LE(28)
  return Math.round(((wav.length - HEADER_BYTES) / bytesPerSecond) * 1_000)
}
