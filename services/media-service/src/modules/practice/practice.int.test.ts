import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AnalysisReport, analysisResultExample, audioAnalysed, userDeleted } from '@bigtech/contracts'
import { signWebhook } from '@bigtech/service-kit'
import { speak, testAudioTools, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Harness, newId, startHarness, TEST_ANALYSIS_SECRET } from '../../../testing/harness.ts'
import { seedScripts } from './seed-scripts.ts'

/** The received requests of the fake analysis server, and its next responses. */
interface Handed {
  readonly job_id: string
  readonly analysis_id: string
  readonly text: string
}
type Behavior = (handed: Handed, response: ServerResponse) => unknown

const accept: Behavior = (_handed, response) => response.writeHead(202).end('{}')

let media: Harness
let clip: Uint8Array<ArrayBuffer>
let tokenId: number
let handed: Handed[] = []
let behave: Behavior = accept
const analysisServer = createServer((request, response) => void take(request, response))

beforeAll(async () => {
  await new Promise<void>((resolve) => analysisServer.listen(0, '127.0.0.1', resolve))
  const { port } = analysisServer.address() as AddressInfo
  media = await startHarness({ ANALYSIS_URL: `http://127.0.0.1:${port}` })
  const { objects, scripts } = media.web.stores
  await objects.prepare()
  await seedScripts({ scripts, objects, espeakPath: testAudioTools().espeak })
  const [token] = await media.mysql.query<{ id: number }>('SELECT MIN(id) AS id FROM script_tokens')
  tokenId = Number(token!.id)
  clip = await speak('오늘 저녁에 같이 영화를 보러 갈까요', 'ko')
}, 90_000)
afterAll(async () => {
  await media?.stop()
  analysisServer.close()
  analysisServer.closeAllConnections()
})
beforeEach(async () => {
  handed = []
  behave = accept
  // Takes left by an earlier test would occupy the worker.
  await media.mysql.query("UPDATE takes SET state = 'failed' WHERE state NOT IN ('succeeded', 'failed')")
})

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = await new Response(request as never, {
    headers: request.headers as Record<string, string>,
  }).formData()
  const wanted = JSON.parse(String(form.get('request'))) as Handed
  handed.push(wanted)
  behave(wanted, response)
}

const multipart = (bytes: Uint8Array<ArrayBuffer>, name: string, mime: string) => {
  const form = new FormData()
  form.set('file', new Blob([bytes], { type: mime }), name)
  return form
}

async function upload(userId: number, bytes = clip, name = 'me.wav', mime = 'audio/wav', token = tokenId) {
  const response = await fetch(`${media.url}/tokens/${token}/upload-audio`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await media.token(userId)}` },
    body: multipart(bytes, name, mime),
  })
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown> & { job_id: string },
  }
}

const resultOf = async (userId: number, jobId: string) =>
  (await media.call(userId, 'GET', `/tokens/analysis-result/${jobId}`)).body
const untilState = (userId: number, jobId: string, state: string) =>
  waitFor(async () => (await resultOf(userId, jobId)).state === state, { timeoutMs: 40_000, what: state })

const success = ({ job_id, analysis_id }: Handed): AnalysisReport => ({
  ...{ job_id, analysis_id },
  status: 'succeeded',
  result: analysisResultExample,
})

async function report(
  body: unknown,
  {
    id = crypto.randomUUID() as string,
    secret = TEST_ANALYSIS_SECRET,
    at = Date.now(),
    sent = undefined as unknown,
  } = {},
) {
  const text = JSON.stringify(body)
  const response = await fetch(`${media.url}/tokens/webhook/analysis-complete`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...signWebhook(secret, id, text, at) },
    body: sent === undefined ? text : JSON.stringify(sent),
  })
  const answer = response.status === 204 ? undefined : ((await response.json()) as { code: string })
  return { status: response.status, code: answer?.code }
}

/** Uploads a recording that the analysis server has received, before its deadline. */
async function waitingTake(userId: number) {
  const { body } = await upload(userId)
  await waitFor(() => handed.some(({ job_id }) => job_id === body.job_id), { timeoutMs: 20_000 })
  return handed.findLast(({ job_id }) => job_id === body.job_id)!
}

describe('scripts', () => {
  it('scripts are listed with actors and tokens, whose clips can be fetched', async () => {
    const userId = newId()
    const { body: page } = await media.call(userId, 'GET', '/scripts?language=ko&limit=2')
    expect(page.items).toHaveLength(2)
    const rest = await media.call(userId, 'GET', `/scripts?language=ko&limit=2&cursor=${page.next_cursor}`)
    expect(rest.body).toMatchObject({ next_cursor: null, items: [{ language: 'ko' }] })
    const { body: script } = await media.call(userId, 'GET', `/scripts/${page.items[0].script_id}`)
    expect(script.actors.map(({ name }: { name: string }) => name).sort()).toEqual(['민수', '하나'])
    const [first, second] = script.tokens
    expect(first.start_time).toBe(0)
    expect(second.start_time).toBeGreaterThan(first.end_time)
    const sound = await media.call(userId, 'GET', first.clip_url)
    expect(sound.headers.get('content-type')).toBe('audio/wav')
    expect(sound.body.subarray(0, 4).toString()).toBe('RIFF')
    expect((await media.call(userId, 'GET', '/scripts/999999')).body.code).toBe('SCRIPT_NOT_FOUND')
    expect((await media.call(null, 'GET', '/scripts')).status).toBe(401)
  })

  it('scripts keep their token ids when seeded again', async () => {
    const { scripts } = media.web.stores
    const token = {
      actor: '하나',
      text: '안녕',
      startMs: 0,
      endMs: 900,
      clipKey: 'practice/clips/again/1.wav',
    }
    const script = { slug: 'again', title: 'Again', description: 'Twice.', language: 'en', tokens: [token] }
    const rows = () => media.mysql.query("SELECT id, text FROM script_tokens WHERE clip_key LIKE '%/again/%'")
    await scripts.seed(script)
    const before = await rows()
    await scripts.seed({ ...script, tokens: [{ ...token, text: '안녕하세요' }] })
    expect(await rows()).toEqual([{ ...before[0], text: '안녕하세요' }])
  })
})

describe('a recording', () => {
  it('a recording gets 202 and is analyzed, counted, and published once', async () => {
    const userId = newId()
    const sent = await waitingTake(userId)
    expect(sent.text).toBe('오늘 저녁에 같이 영화를 보러 갈까요')
    await untilState(userId, sent.job_id, 'analyzing')
    expect((await report(success(sent))).status).toBe(204)
    expect(await resultOf(userId, sent.job_id)).toMatchObject({
      state: 'succeeded',
      progress: 100,
      token_id: tokenId,
      result: analysisResultExample,
      error: null,
    })
    await media.eventOf(audioAnalysed, ({ job_id, overall }) => job_id === sent.job_id && overall === 86.5)
    const { body: overview } = await media.call(userId, 'GET', '/mypage/overview')
    expect(overview).toMatchObject({ practice_count: 1, token_count: 1, best_overall: 86.5 })
    const { body: dubbed } = await media.call(userId, 'GET', '/mypage/my-dubbed-tokens')
    expect(dubbed.items).toMatchObject([{ attempts: 1, last_job_id: sent.job_id, best: { overall: 86.5 } }])
    const { body: popular } = await media.call(userId, 'GET', '/scripts/popular')
    expect(popular.items.length).toBeGreaterThan(3)
  })

  it('a recording is visible to its owner only', async () => {
    const { body } = await upload(newId())
    for (const path of ['analysis-result', 'analysis-progress'])
      expect((await media.call(newId(), 'GET', `/tokens/${path}/${body.job_id}`)).body.code).toBe(
        'ANALYSIS_NOT_FOUND',
      )
  })

  it.each([
    ['an image', new Uint8Array([0x89, 0x50, 0x4e, 0x47]), 'a.png', 'image/png', 'FILE_TYPE_REFUSED'],
    ['text named wav', new Uint8Array(Buffer.from('no sound')), 'a.wav', 'audio/wav', 'FILE_TYPE_REFUSED'],
    ['an empty file', new Uint8Array(), 'a.wav', 'audio/wav', 'FILE_EMPTY'],
  ])('a recording is rejected: %s', async (_case, bytes, name, mime, code) => {
    expect((await upload(newId(), bytes, name, mime)).body.code).toBe(code)
  })

  it('a recording of an unknown token is rejected', async () => {
    expect((await upload(newId(), clip, 'a.wav', 'audio/wav', 999_999)).body.code).toBe(
      'PRACTICE_TOKEN_NOT_FOUND',
    )
  })

  it('a recording longer than 30 seconds fails with that reason', async () => {
    const userId = newId()
    const long = await speak('가나다라마바사아자차카타파하 '.repeat(40), 'ko')
    const { body } = await upload(userId, long)
    await untilState(userId, body.job_id, 'failed')
    expect((await resultOf(userId, body.job_id)).error.code).toBe('TOO_LONG')
    expect(handed.filter(({ job_id }) => job_id === body.job_id)).toEqual([])
  })

  it('a recording is rejected while five others of its owner are being analyzed', async () => {
    const userId = newId()
    const answers = []
    for (let n = 0; n < 6; n++) answers.push(await upload(userId))
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202, 429])
  })

  it('a recording can be listed, fetched and deleted by its owner alone, also while it is being analyzed', async () => {
    const userId = newId()
    const [first, second] = [await waitingTake(userId), await waitingTake(userId)]
    await report(success(first))
    const list = async (query = '') => (await media.call(userId, 'GET', `/mypage/recordings${query}`)).body
    const { items, next_cursor } = await list('?limit=1')
    expect(items).toMatchObject([
      { job_id: second.job_id, state: 'analyzing', size: clip.length, text: second.text },
    ])
    expect(await list(`?limit=1&cursor=${next_cursor}`)).toMatchObject({
      items: [{ job_id: first.job_id, state: 'succeeded', result: analysisResultExample }],
      next_cursor: null,
    })
    expect((await list(`?token_id=${tokenId + 1}`)).items).toEqual([])
    const path = `/mypage/recordings/${second.job_id}`
    expect((await media.call(userId, 'GET', `${path}/content`)).body).toEqual(Buffer.from(clip))
    for (const [method, url] of [
      ['GET', `${path}/content`],
      ['DELETE', path],
    ] as const)
      expect((await media.call(newId(), method, url)).body.code).toBe('ANALYSIS_NOT_FOUND')
    expect((await media.call(userId, 'DELETE', path)).status).toBe(204)
    await waitFor(
      async () => (await media.web.stores.objects.list(`practice/takes/${second.job_id}/`)).length === 0,
      { what: 'the bytes to go' },
    )
    expect(await report(success(second))).toEqual({ status: 404, code: 'ANALYSIS_NOT_FOUND' })
    expect((await media.call(userId, 'DELETE', path)).body.code).toBe('ANALYSIS_NOT_FOUND')
    expect((await list()).items).toHaveLength(1)
  })

  it('recordings and files share one storage figure and one quota', async () => {
    const userId = newId()
    const usage = async () => (await media.call(userId, 'GET', '/files/usage')).body
    await waitingTake(userId)
    expect(await usage()).toMatchObject({ used_bytes: clip.length, file_count: 0, recording_count: 1 })
    const { takes, files } = media.web.stores
    const begin = (quotaBytes: number) =>
      files.begin(
        {
          ...{ ownerId: userId, purpose: 'attachment', kind: 'document', name: 'a.txt', mime: 'text/plain' },
          ...{ reservedBytes: 10, keepSeconds: 60 },
        },
        quotaBytes,
      )
    expect(await begin(clip.length + 9)).toBe(9)
    expect(await begin(clip.length + 10)).toMatchObject({ ownerId: userId })
    const record = (quotaBytes: number) =>
      takes.create(
        {
          ...{
            id: crypto.randomUUID(),
            tokenId,
            ownerId: userId,
            objectKey: 'x',
            mime: 'audio/wav',
            size: 5,
          },
          requestId: 'test',
        },
        { quotaBytes, maxUnfinished: 3 },
      )
    const answers = await Promise.all(Array.from({ length: 3 }, () => record(clip.length + 20)))
    expect(answers.filter((answer) => answer === 'quota')).toHaveLength(1)
    expect(await record(10 * clip.length)).toBe('unfinished')
  })

  it('a recording is in the export of its owner with its scores and bookmarks', async () => {
    const userId = newId()
    const sent = await waitingTake(userId)
    await report(success(sent))
    await media.call(userId, 'PUT', `/tokens/${tokenId}/bookmark`)
    expect((await media.call(userId, 'GET', '/files/export')).body).toMatchObject({
      recordings: [{ job_id: sent.job_id, text: sent.text, result: analysisResultExample }],
      bookmarks: [{ token_id: tokenId }],
    })
    expect((await media.call(newId(), 'GET', '/files/export')).body).toMatchObject({
      recordings: [],
      bookmarks: [],
    })
  })

  it('a recording leaves nothing when its owner is deleted', async () => {
    const userId = newId()
    const sent = await waitingTake(userId)
    await media.call(userId, 'PUT', `/tokens/${tokenId}/bookmark`)
    const { objects } = media.web.stores
    expect(await objects.list(`practice/takes/${sent.job_id}/`)).toHaveLength(1)
    const deletion = { user_id: userId, deletion_id: crypto.randomUUID(), message_policy: 'keep' as const }
    await media.publish(userDeleted, deletion)
    await waitFor(async () => (await objects.list(`practice/takes/${sent.job_id}/`)).length === 0, {
      timeoutMs: 20_000,
    })
    for (const table of ['takes', 'bookmarks'])
      expect(await media.mysql.query(`SELECT 1 FROM ${table} WHERE owner_id = ?`, [userId])).toEqual([])
  })
})

describe('a report', () => {
  it('a report with a modified body, a wrong secret, or an old timestamp is rejected with 401', async () => {
    const userId = newId()
    const sent = await waitingTake(userId)
    const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`
    const altered = { ...success(sent), result: { ...analysisResultExample, scores: { pronunciation: 100 } } }
    for (const options of [
      { sent: altered },
      { secret: other },
      { at: Date.now() - 360_000 },
      { at: Date.now() + 360_000 },
    ])
      expect(await report(success(sent), options)).toEqual({ status: 401, code: 'WEBHOOK_SIGNATURE_INVALID' })
    const unsigned = await fetch(`${media.url}/tokens/webhook/analysis-complete`, { method: 'POST' })
    expect(unsigned.status).toBe(401)
    expect((await resultOf(userId, sent.job_id)).result).toBeNull()
  })

  it('a report delivered again, also concurrently, changes nothing', async () => {
    const userId = newId()
    const sent = await waitingTake(userId)
    const id = crypto.randomUUID()
    const answers = await Promise.all(Array.from({ length: 4 }, () => report(success(sent), { id })))
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204])
    const failed = { job_id: sent.job_id, analysis_id: sent.analysis_id, status: 'failed' } as const
    const error = { code: 'NO_SPEECH', detail: 'No speech.', retryable: false }
    expect(await report({ ...failed, error })).toEqual({ status: 409, code: 'ANALYSIS_SUPERSEDED' })
    expect((await media.call(userId, 'GET', '/mypage/overview')).body.practice_count).toBe(1)
  })

  it('a report that arrives before its recording was acknowledged is applied', async () => {
    const userId = newId()
    const early = new Map<string, number>()
    behave = async (sent, response) => {
      early.set(sent.job_id, (await report(success(sent))).status)
      accept(sent, response)
    }
    const { body } = await upload(userId)
    await untilState(userId, body.job_id, 'succeeded')
    // The take succeeds before the response to the report arrives here.
    await waitFor(() => early.get(body.job_id) === 204, { what: 'the response to the report' })
  })

  it('a report for an unknown job gets 404, and for another attempt 409', async () => {
    const sent = await waitingTake(newId())
    const unknown = await report(success({ ...sent, job_id: crypto.randomUUID() }))
    expect(unknown).toEqual({ status: 404, code: 'ANALYSIS_NOT_FOUND' })
    const another = await waitingTake(newId())
    const mixed = await report(success({ ...sent, analysis_id: another.analysis_id }))
    expect(mixed).toEqual({ status: 409, code: 'ANALYSIS_SUPERSEDED' })
  })

  it('a report of a temporary failure resends the recording, and one of a permanent failure ends the take', async () => {
    const userId = newId()
    const sent = await waitingTake(userId)
    const failed = (analysisId: string, retryable: boolean) => ({
      job_id: sent.job_id,
      analysis_id: analysisId,
      status: 'failed',
      error: { code: retryable ? 'ANALYSIS_FAILED' : 'NO_SPEECH', detail: 'It is so.', retryable },
    })
    expect((await report(failed(sent.analysis_id, true))).status).toBe(204)
    await waitFor(() => handed.filter(({ job_id }) => job_id === sent.job_id).length === 2, {
      timeoutMs: 20_000,
    })
    const again = handed.findLast(({ job_id }) => job_id === sent.job_id)!
    expect((await report(failed(again.analysis_id, false))).status).toBe(204)
    expect(await resultOf(userId, sent.job_id)).toMatchObject({
      state: 'failed',
      error: { code: 'NO_SPEECH' },
    })
  })
})

describe('an analysis server', () => {
  it('an analysis server that never reports gets the recording three times, then the take fails and late reports are rejected', async () => {
    const userId = newId()
    const { body } = await upload(userId)
    const attemptsOf = () => handed.filter(({ job_id }) => job_id === body.job_id)
    for (let attempt = 1; attempt <= 3; attempt++) {
      await waitFor(() => attemptsOf().length === attempt, { timeoutMs: 20_000 })
      await untilState(userId, body.job_id, 'analyzing')
      await media.mysql.query("UPDATE takes SET deadline_at = '2000-01-01' WHERE id = ?", [body.job_id])
    }
    await untilState(userId, body.job_id, 'failed')
    const attempts = attemptsOf()
    expect(attempts).toHaveLength(3)
    expect(new Set(attempts.map(({ analysis_id }) => analysis_id)).size).toBe(3)
    expect((await resultOf(userId, body.job_id)).error.code).toBe('ANALYSIS_TIMEOUT')
    for (const attempt of attempts)
      expect(await report(success(attempt))).toEqual({ status: 409, code: 'ANALYSIS_SUPERSEDED' })
  })

  it('an analysis server that is briefly unavailable is retried', async () => {
    const userId = newId()
    behave = (_sent, response) => {
      behave = accept
      response.writeHead(503).end()
    }
    const sent = await waitingTake(userId)
    await waitFor(() => handed.filter(({ job_id }) => job_id === sent.job_id).length === 2, {
      timeoutMs: 20_000,
    })
    const last = handed.findLast(({ job_id }) => job_id === sent.job_id)!
    expect((await report(success(last))).status).toBe(204)
    await untilState(userId, sent.job_id, 'succeeded')
  })

  it('an analysis server that stays unavailable ends the take after five attempts with ANALYSIS_UNAVAILABLE', async () => {
    const userId = newId()
    behave = (_sent, response) => response.writeHead(503).end()
    const { body } = await upload(userId)
    await waitFor(
      async () => {
        // Without waiting for the backoff between two attempts.
        await media.mysql.query('UPDATE jobs SET due_at = UTC_TIMESTAMP(3) WHERE owner_id = ?', [userId])
        return (await resultOf(userId, body.job_id)).state === 'failed'
      },
      { timeoutMs: 25_000, what: 'the take to fail' },
    )
    expect(handed.filter(({ job_id }) => job_id === body.job_id)).toHaveLength(5)
    expect((await resultOf(userId, body.job_id)).error.code).toBe('ANALYSIS_UNAVAILABLE')
  })

  it('an analysis server that rejects a recording ends the take with the reason', async () => {
    const userId = newId()
    behave = (_sent, response) => response.writeHead(422).end('{"detail":"no"}')
    const { body } = await upload(userId)
    await untilState(userId, body.job_id, 'failed')
    expect((await resultOf(userId, body.job_id)).error).toEqual({
      code: 'ANALYSIS_REFUSED',
      detail: 'The analysis server returned 422.',
    })
  })
})

describe('the progress stream', () => {
  async function open(userId: number, jobId: string, lastEventId?: string) {
    const response = await fetch(`${media.url}/tokens/analysis-progress/${jobId}`, {
      headers: {
        authorization: `Bearer ${await media.token(userId)}`,
        ...(lastEventId ? { 'last-event-id': lastEventId } : {}),
      },
    })
    return response.text()
  }
  const statesOf = (text: string) => [...text.matchAll(/"state":"(\w+)"/g)].map((match) => match[1])

  it('the progress stream sends every state, ends with the last one, and resumes without repeating a frame', async () => {
    const userId = newId()
    const sent = await waitingTake(userId)
    await untilState(userId, sent.job_id, 'analyzing')
    const reading = open(userId, sent.job_id)
    await report(success(sent))
    const text = await reading
    expect(statesOf(text).at(-1)).toBe('succeeded')
    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map((match) => match[1]!)
    expect(statesOf(await open(userId, sent.job_id, ids.at(-1)))).toEqual([])
    expect(statesOf(await open(userId, sent.job_id, String(Number(ids.at(-1)) - 1)))).toEqual(['succeeded'])
  })
})

describe('bookmarks', () => {
  it('bookmarks are stored once each, listed newest first, and shown on tokens', async () => {
    const userId = newId()
    for (const id of [tokenId, tokenId + 1, tokenId])
      expect((await media.call(userId, 'PUT', `/tokens/${id}/bookmark`)).status).toBe(204)
    const { body: first } = await media.call(userId, 'GET', '/mypage/bookmarks/?limit=1')
    const { body: rest } = await media.call(
      userId,
      'GET',
      `/mypage/bookmarks/?limit=1&cursor=${first.next_cursor}`,
    )
    expect([...first.items, ...rest.items].map(({ token }) => token.token_id)).toEqual([tokenId + 1, tokenId])
    const { body: script } = await media.call(userId, 'GET', `/scripts/${first.items[0].token.script_id}`)
    expect(script.tokens.map(({ bookmarked }: { bookmarked: boolean }) => bookmarked)).toEqual([
      true,
      true,
      false,
      false,
    ])
    expect((await media.call(userId, 'DELETE', `/tokens/${tokenId}/bookmark`)).status).toBe(204)
    expect((await media.call(userId, 'GET', '/mypage/bookmarks/')).body.items).toHaveLength(1)
    expect((await media.call(userId, 'PUT', '/tokens/999999/bookmark')).body.code).toBe(
      'PRACTICE_TOKEN_NOT_FOUND',
    )
  })
})
