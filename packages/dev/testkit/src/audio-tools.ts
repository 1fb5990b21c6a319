import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { testServers } from './servers.ts'

/** Paths of programs that decode audio and synthesize speech. */
export interface AudioTools {
  readonly ffmpeg: string
  readonly espeak: string
}

const run = promisify(execFile)
const MAX_CLIP_BYTES = 20 * 2 ** 20

/** Returns the audio tools. @throws Error when the servers were started by a version without them */
export function testAudioTools(): AudioTools {
  const { audio } = testServers()
  if (!audio) throw new Error('The running servers have no audio tools: stop them and start them again.')
  return audio
}

/**
 * Returns a WAV of a synthetic voice.
 * @param voice of espeak-ng, `ko`, `en-us+f3`. @param wordsPerMinute default 150. @param pitch 0..99,
 * default 50
 * @param isMonotone without any melody
 */
export async function speak(
  text: string,
  voice: string,
  { wordsPerMinute = 150, pitch = 50, isMonotone = false } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const words = isMonotone ? `<speak><prosody range="0%">${text}</prosody></speak>` : text
  const args = ['-v', voice, '-s', String(wordsPerMinute), '-p', String(pitch), '-m', '--stdout', words]
  const { stdout } = await run(testAudioTools().espeak, args, {
    encoding: 'buffer',
    maxBuffer: MAX_CLIP_BYTES,
  })
  return new Uint8Array(stdout)
}
