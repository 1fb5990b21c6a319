import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { AnalysisResult } from '@bigtech/contracts'
import { speak, testAudioTools } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decode } from './decode.ts'
import { SAMPLE_RATE } from './sample-rate.ts'
import { type Refusal, score } from './score.ts'

const run = promisify(execFile)
const languages = {
  ko: {
    voice: 'ko',
    text: '오늘 저녁에 같이 영화를 보러 갈까요',
    twoWordsWrong: '오늘 아침에 같이 숙제를 보러 갈까요',
    allWrong: '비가 그치면 우산은 문 옆에 두세요',
    foreign: { voice: 'en-us', text: 'I never asked you to come back and save me' },
  },
  en: {
    voice: 'en-us',
    text: 'I never asked you to come back and save me',
    twoWordsWrong: 'I never asked you to jump high and save me',
    allWrong: 'Umbrellas stay beside that door until Monday',
    foreign: { voice: 'ko', text: '오늘 저녁에 같이 영화를 보러 갈까요' },
  },
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'score-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function samplesOf(bytes: Uint8Array): Promise<Float32Array> {
  const file = join(folder, `${crypto.randomUUID()}.wav`)
  await writeFile(file, bytes)
  return decode(testAudioTools().ffmpeg, file)
}

/** Returns white noise, the same in every run. */
function noise(length: number): Float32Array {
  let state = 1
  return Float32Array.from({ length }, () => {
    state = (state * 16_807) % 2_147_483_647
    return state / 2_147_483_647 - 0.5
  })
}

function scored(outcome: AnalysisResult | Refusal): AnalysisResult {
  if (typeof outcome === 'string') throw new Error(`refused: ${outcome}`)
  return outcome
}

describe.each(Object.entries(languages))('scores of %s', (_language, { voice, text, ...other }) => {
  let reference: Float32Array
  const of = async (words: string, options = {}, speaker = voice) =>
    score(reference, await samplesOf(await speak(words, speaker, options)), text)
  beforeAll(async () => {
    reference = await samplesOf(await speak(text, voice))
  })

  it('scores decrease with the distance from the original: same recording, other voice, two wrong words, all wrong', async () => {
    const itself = scored(await of(text)).scores
    const otherVoice = scored(await of(text, {}, `${voice}+f3`)).scores
    const twoWrong = scored(await of(other.twoWordsWrong)).scores
    const allWrong = await of(other.allWrong)
    expect(itself.overall).toBeGreaterThan(97)
    expect(itself.overall).toBeGreaterThan(otherVoice.overall)
    expect(otherVoice.pronunciation).toBeGreaterThan(twoWrong.pronunciation)
    const worst = typeof allWrong === 'string' ? 0 : allWrong.scores.overall
    expect(twoWrong.overall).toBeGreaterThan(worst + 20)
    expect(worst).toBeLessThan(35)
  })

  it('scores tolerate another pitch and pace', async () => {
    expect(scored(await of(text, { pitch: 75 })).scores.overall).toBeGreaterThan(85)
    expect(scored(await of(text, { wordsPerMinute: 125 })).scores.overall).toBeGreaterThan(80)
  })

  it('a monotone voice lowers the score of intonation but not that of pronunciation', async () => {
    const { scores, feedback } = scored(await of(text, { isMonotone: true }))
    expect(scores.pronunciation).toBeGreaterThan(75)
    expect(scores.intonation).toBeLessThan(60)
    expect(feedback.tips).toContain('MORE_MELODY')
  })

  it('scores identify wrong words', async () => {
    const { feedback } = scored(await of(other.twoWordsWrong))
    const said = other.twoWordsWrong.split(' ')
    const meant = text.split(' ')
    const isWrong = (index: number) => said[index] !== meant[index]
    const mean = (wanted: boolean) => {
      const chosen = feedback.words.filter((_word, index) => isWrong(index) === wanted)
      return chosen.reduce((sum, word) => sum + word.score, 0) / chosen.length
    }
    expect(feedback.words.map(({ word }) => word)).toEqual(meant)
    expect(mean(false)).toBeGreaterThan(mean(true) + 25)
    expect(feedback.tips).toContain('REPEAT_UNCLEAR_WORDS')
  })

  it('scores are close to zero for another language', async () => {
    const outcome = await of(other.foreign.text, {}, other.foreign.voice)
    expect(typeof outcome === 'string' ? 0 : outcome.scores.overall).toBeLessThan(25)
  })

  it('silence, noise and recordings that are far too short or too long get no scores', async () => {
    expect(score(reference, new Float32Array(SAMPLE_RATE * 2), text)).toBe('NO_SPEECH')
    expect(score(reference, noise(SAMPLE_RATE * 2), text)).toBe('NOT_SPEECH')
    const firstWord = await of(text.split(' ')[0]!)
    expect(['TOO_SHORT', 'NO_SPEECH']).toContain(firstWord)
    expect(await of(Array(4).fill(text).join(' '))).toBe('TOO_LONG')
  })

  it('feedback asks for another pace, and for another recording when it is clipped', async () => {
    expect(scored(await of(text, { wordsPerMinute: 100 })).feedback.tips).toEqual(['SPEAK_FASTER'])
    expect(scored(await of(text, { wordsPerMinute: 220 })).feedback.tips).toEqual(['SPEAK_SLOWER'])
    const loud = reference.map((sample) => Math.max(-1, Math.min(1, 4 * sample)))
    const { quality, tips } = scored(score(reference, loud, text)).feedback
    expect({ quality, tips }).toEqual({ quality: 'clipped', tips: ['TOO_LOUD'] })
  })

  it('words take time in proportion to their syllables', () => {
    const { words } = scored(score(reference, reference, text)).feedback
    const lengths = words.map(({ start_ms, end_ms }) => end_ms - start_ms)
    expect(Math.max(...lengths) / Math.min(...lengths)).toBeGreaterThan(1.4)
    for (const [index, { start_ms }] of words.slice(1).entries()) expect(start_ms).toBe(words[index]!.end_ms)
  })

  it('scores are equal for wav, mp3 and m4a', async () => {
    const wav = join(folder, `${voice}.wav`)
    await writeFile(wav, await speak(text, voice))
    for (const extension of ['mp3', 'm4a']) {
      const file = join(folder, `${voice}.${extension}`)
      await run(testAudioTools().ffmpeg, ['-v', 'error', '-y', '-i', wav, file])
      const decoded = await decode(testAudioTools().ffmpeg, file)
      expect(scored(score(reference, decoded, text)).scores.overall, extension).toBeGreaterThan(90)
    }
  })
})
