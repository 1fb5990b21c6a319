import type { Fact, ServiceOperations } from '@bigtech/service-kit'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Harness, newId, startHarness } from '../testing/harness.ts'
import { photo } from '../testing/samples.ts'
import type { ObjectStore } from './infrastructure/object-store.ts'
import { ExpectedObjects } from './modules/verification/expected-objects.repository.ts'
import { checkObjects } from './modules/verification/object-check.ts'
import { openOperations } from './operations.ts'

let media: Harness
let store: ObjectStore
let operations: ServiceOperations
beforeAll(async () => {
  media = await startHarness({ SWEEP_MS: '600000' })
  store = media.web.stores.objects
  operations = await openOperations(media.env)
}, 90_000)
afterAll(async () => {
  await operations?.close()
  await media?.stop()
})

const HOUR_MS = 3_600_000
const textOf = (findings: readonly { subject: string; detail: string }[]) =>
  findings.map(({ subject, detail }) => `${subject} ${detail}`).sort()
const verify = async (fix = false) => textOf((await operations.verify?.({ fix })) ?? [])
/** Verifies as if everything had been stored hours ago. */
const verifyLater = async (fix = false) => {
  const expected = new ExpectedObjects(media.web.stores.mysql)
  return textOf(await checkObjects({ expected, store, fix, now: () => Date.now() + 2 * HOUR_MS }))
}
const note = (owner: number) =>
  media.examined(owner, { name: 'a.txt', mime: 'text/plain', bytes: new Uint8Array(Buffer.from('hello')) })

it('verify finds rows whose objects are missing or have another size, in every kind of row', async () => {
  const owner = newId()
  const picture = await media.examined(owner, { name: 'a.jpg', mime: 'image/jpeg', bytes: await photo() })
  const text = await note(owner)
  const document = await note(owner)
  await media.mysql.query(
    "INSERT INTO documents (id, owner_id, type, state, job_id, created_at) VALUES (?, ?, 'pdf', 'completed', UUID(), NOW(3))",
    [document.file_id, owner],
  )
  for (const name of ['extracted.json', 'report.json', 'report.html', 'report.pdf'])
    await store.put(`${document.file_id}/${name}`, Buffer.from('{}'), 'application/json')
  await media.mysql.query("INSERT INTO actors (id, name) VALUES (1, 'Emma')")
  await media.mysql.query(
    "INSERT INTO scripts (id, slug, title, description, language, created_at) VALUES (1, 's', 't', 'd', 'en', NOW(3))",
  )
  await media.mysql.query(
    `INSERT INTO script_tokens (id, script_id, position, actor_id, text, start_ms, end_ms, clip_key)
     VALUES (1, 1, 1, 1, 'hello', 0, 1, 'practice/clips/s/1.wav')`,
  )
  const take = crypto.randomUUID()
  const recording = `practice/takes/${take}/recording`
  await media.mysql.query(
    `INSERT INTO takes (id, token_id, owner_id, state, object_key, mime, size_bytes, request_id, created_at)
     VALUES (?, 1, ?, 'succeeded', ?, 'audio/wav', 4, 'test', NOW(3))`,
    [take, owner, recording],
  )
  await store.put(recording, Buffer.from('wave'), 'audio/wav')
  await store.put('practice/clips/s/1.wav', Buffer.from('wave'), 'audio/wav')
  expect(await verify()).toEqual([])

  await store.delete(`${picture.file_id}/thumb_320`)
  await store.put(`${text.file_id}/upload`, Buffer.from('other bytes'), 'text/plain')
  await store.delete(`${document.file_id}/report.html`)
  await store.delete(recording)
  await store.delete('practice/clips/s/1.wav')
  const wrong = [
    'clip practice/clips/s/1.wav has no object',
    `file ${picture.file_id} has no object ${picture.file_id}/thumb_320`,
    `file ${text.file_id} has 5 bytes, but the object ${text.file_id}/upload has 11`,
    `file ${document.file_id} has no object ${document.file_id}/report.html`,
    `recording ${take} has no object ${recording}`,
  ].sort()
  expect(await verify()).toEqual(wrong)
  // Bytes cannot be repaired: the findings stay.
  expect(await verify(true)).toEqual(wrong)
  expect(await verify()).toEqual(wrong)

  await media.mysql.query('DELETE FROM takes')
  await media.mysql.query('DELETE FROM script_tokens')
  await media.mysql.query('DELETE FROM files WHERE owner_id = ?', [owner])
  for (const { file_id } of [picture, text, document])
    for (const key of await media.objectsOf(file_id)) await store.delete(key)
})

it('verify finds objects without a row, and deletes them with --fix only', async () => {
  const owner = newId()
  const kept = await note(owner)
  const lost = await note(owner)
  await media.mysql.query('DELETE FROM files WHERE id = ?', [lost.file_id])
  const strays = [`${lost.file_id}/upload`, `${kept.file_id}/stray`, 'practice/takes/gone/recording', 'zzz']
  for (const key of strays.slice(1)) await store.put(key, Buffer.from('x'), 'text/plain')
  // A job stores its results before the row that names them.
  expect(await verify(true)).toEqual([])

  const wrong = strays.map((key) => `object ${key} belongs to no row`).sort()
  expect(await verifyLater()).toEqual(wrong)
  expect(await verifyLater()).toEqual(wrong)
  expect(await verifyLater(true)).toEqual(wrong)
  expect(await verifyLater()).toEqual([])
  expect(await media.objectsOf(kept.file_id)).toEqual([`${kept.file_id}/upload`])
})

it('verify leaves objects alone that an upload still writes or that the sweep will delete', async () => {
  const owner = newId()
  const open = await note(owner)
  await media.mysql.query("UPDATE files SET state = 'uploading' WHERE id = ?", [open.file_id])
  const removed = await note(owner)
  await media.call(owner, 'DELETE', `/files/${removed.file_id}`)
  expect(await media.objectsOf(removed.file_id)).toHaveLength(1)
  expect(await verifyLater(true)).toEqual([])
  expect(await media.objectsOf(open.file_id)).toHaveLength(1)
})

it('verify compares more rows and objects than one page holds', async () => {
  const owner = newId()
  const ids = Array.from({ length: 1_010 }, () => crypto.randomUUID())
  const rows = ids.map((id) => [id, owner, 'attachment', 'ready', 'a', 'text/plain', 1, `${id}/upload`])
  await media.mysql.query(
    `INSERT INTO files (id, owner_id, purpose, state, name, mime, size_bytes, object_key, variants, created_at)
     VALUES ${rows.map(() => "(?, ?, ?, ?, ?, ?, ?, ?, 'original', NOW(3))").join(', ')}`,
    rows.flat(),
  )
  const [missing, ...stored] = ids
  for (let from = 0; from < stored.length; from += 50)
    await Promise.all(
      stored.slice(from, from + 50).map((id) => store.put(`${id}/upload`, Buffer.from('x'), 'text/plain')),
    )
  expect(await verifyLater()).toEqual([`file ${missing} has no object ${missing}/upload`])
  await media.mysql.query('DELETE FROM files WHERE owner_id = ?', [owner])
})

it('verify compares owners and profile pictures with the accounts, and erases deleted accounts only', async () => {
  const [alive, deleted, unknown] = [newId(), newId(), newId()]
  const purpose = 'avatar'
  const picture = await media.examined(alive, {
    name: 'a.jpg',
    mime: 'image/jpeg',
    bytes: await photo(),
    purpose,
  })
  await note(deleted)
  await note(unknown)
  const account = (userId: number, fields: Fact['fields']): Fact => ({ kind: 'user', ids: [userId], fields })
  const accounts = [
    account(alive, { deleted: false, profile_image_url: `/api/pictures/${picture.file_id}` }),
    account(deleted, { deleted: true, profile_image_url: null }),
  ]
  const others = new Set(
    (
      await media.mysql.query<{ owner_id: number }>(
        'SELECT DISTINCT owner_id FROM files WHERE owner_id NOT IN (?, ?, ?)',
        [alive, deleted, unknown],
      )
    ).map(({ owner_id }) => Number(owner_id)),
  )
  const facts = async function* () {
    for (const id of others) yield account(id, { deleted: false, profile_image_url: null })
    yield* accounts
  }
  const compare = async (fix: boolean) => textOf((await operations.verifyOwned?.(facts(), { fix })) ?? [])
  const left = [`user ${unknown} owns files, but has no account`]
  const wrong = [
    `user ${alive} shows the picture ${picture.file_id}, which is not recorded as used`,
    `user ${deleted} is deleted, but owns files`,
    ...left,
  ].sort()
  expect(await compare(false)).toEqual(wrong)
  expect(await compare(true)).toEqual(wrong)
  expect(await compare(false)).toEqual(left)
  const uses = await media.mysql.query('SELECT message_id FROM file_uses WHERE file_id = ?', [
    picture.file_id,
  ])
  expect(uses).toEqual([{ message_id: `profile:${alive}` }])
  await waitFor(async () => (await media.call(unknown, 'GET', '/files')).body.items.length === 1)
})
