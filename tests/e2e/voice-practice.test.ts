import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { testAudioTools } from '@bigtech/testkit'
import { expect, it } from 'vitest'
import { http, newPerson, stack } from './stack.ts'

const api = `${stack.gateway}/api`

/** Returns a WAV as phones record it: AAC in an MPEG-4 container. */
async function toM4a(wav: Uint8Array): Promise<Blob> {
  const folder = await mkdtemp(join(tmpdir(), 'voice-practice-'))
  try {
    const [from, to] = [join(folder, 'clip.wav'), join(folder, 'clip.m4a')]
    await writeFile(from, wav)
    await promisify(execFile)(testAudioTools().ffmpeg, ['-loglevel', 'error', '-i', from, '-c:a', 'aac', to])
    return new Blob([new Uint8Array(await readFile(to))], { type: 'audio/mp4' })
  } finally {
    await rm(folder, { recursive: true })
  }
}

it('an m4a recording of a seeded script gets its scores through the gateway, which its author alone can read', async () => {
  const [speaker, stranger] = await Promise.all([newPerson(), newPerson()])
  const as = (method: string, path: string, person = speaker) =>
    http(method, `${api}${path}`, { token: person.token })
  const { body: popular } = await as('GET', '/scripts/popular')
  const { body: script } = await as('GET', `/scripts/${popular.items[0].script_id}`)
  const token = script.tokens[0]
  const headers = { authorization: `Bearer ${speaker.token}` }
  const clip = await fetch(`${api}/tokens/${token.token_id}/clip`, { headers })
  expect(clip.status).toBe(200)

  const form = new FormData()
  form.set('file', await toM4a(new Uint8Array(await clip.arrayBuffer())), 'me.m4a')
  const uploaded = await fetch(`${api}/tokens/${token.token_id}/upload-audio`, {
    method: 'POST',
    headers,
    body: form,
  })
  expect(uploaded.status).toBe(202)
  const { job_id } = (await uploaded.json()) as { job_id: string }

  // The stream ends by itself with the last frame.
  const progress = await fetch(`${api}/tokens/analysis-progress/${job_id}`, {
    headers,
    signal: AbortSignal.timeout(60_000),
  })
  const frames = (await progress.text()).split('\n\n').filter((frame) => frame.includes('event: progress'))
  expect(frames.at(-1)).toContain('"state":"succeeded"')

  const result = await as('GET', `/tokens/analysis-result/${job_id}`)
  expect(result.body).toMatchObject({ state: 'succeeded', token_id: token.token_id, progress: 100 })
  // The reference clip itself, but for what AAC leaves out.
  expect(result.body.result.scores.overall).toBeGreaterThan(80)
  expect((await as('GET', `/tokens/analysis-result/${job_id}`, stranger)).status).toBe(404)
  const mine = await as('GET', '/mypage/my-dubbed-tokens')
  expect(mine.body.items).toMatchObject([{ token: { token_id: token.token_id } }])
}, 90_000)
