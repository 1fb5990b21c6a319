import { request } from 'node:http'
import { join } from 'node:path'
import {
  mediaDataErased,
  messageDeleted,
  messageSent,
  pictureUrlOf,
  roomCreated,
  roomDeleted,
  roomUpdated,
  type StoredFile,
  userDeleted,
  userUpdated,
} from '@bigtech/contracts'
import { describeConformance, describeMigrations, waitFor } from '@bigtech/testkit'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Harness, newId, serviceFolder, startHarness } from '../../../testing/harness.ts'
import { pdfOf, photo, wavOf } from '../../../testing/samples.ts'

let media: Harness
beforeAll(async () => {
  media = await startHarness()
}, 90_000)
afterAll(() => media?.stop())

describeConformance({ title: 'Media Service', service: () => media.web })
describeMigrations({
  migrationsDir: join(serviceFolder, 'migrations'),
  schemaPath: join(serviceFolder, 'prisma/schema.prisma'),
})

const text = (content: string) => new Uint8Array(Buffer.from(content))
const note = { name: '메모.txt', mime: 'text/plain', bytes: text('안녕하세요') }

/** Publishes a message with the file in another user's room, like chat-service. */
async function sent(file: StoredFile, roomId = newId()) {
  const messageId = `${roomId}:000000000001`
  const userId = newId()
  await media.publish(messageSent, {
    message_id: messageId,
    room_id: roomId,
    seq: 1,
    user_id: userId,
    username: 'sender',
    content: '',
    message_type: 'file',
    created_at: new Date().toISOString(),
    reply_to: null,
    file_id: file.file_id,
  })
  await waitFor(async () => (await usesOf(file)).length > 0)
  return { messageId, roomId, userId }
}
const pictureOf = async (owner: number, purpose: 'avatar' | 'room_picture') =>
  media.examined(owner, { name: 'me.jpg', mime: 'image/jpeg', bytes: await photo(700, 400), purpose })
const usesOf = (file: StoredFile) =>
  media.mysql.query('SELECT 1 FROM file_uses WHERE file_id = ?', [file.file_id])
const isGone = (file: StoredFile) =>
  waitFor(
    async () => {
      const rows = await media.mysql.query('SELECT 1 FROM files WHERE id = ?', [file.file_id])
      return rows.length === 0 && (await media.objectsOf(file.file_id)).length === 0
    },
    { what: 'row and bytes to be gone' },
  )

describe('uploadFile', () => {
  it('an upload accepts a photo, applies its orientation, and removes location and author', async () => {
    const owner = newId()
    const file = await media.examined(owner, { name: '여행.jpg', mime: 'image/jpeg', bytes: await photo() })
    expect(file).toMatchObject({
      state: 'ready',
      kind: 'image',
      name: '여행.jpg',
      width: 900,
      height: 1_600,
      variants: ['original', 'thumb_320', 'thumb_1280'],
      preview: expect.stringMatching(/^data:image\/webp;base64,/),
    })
    expect(file.preview!.length).toBeLessThan(600)
    const original = await media.call(owner, 'GET', `/files/${file.file_id}/content`)
    expect(original.body.includes('SECRET-OWNER')).toBe(false)
    expect((await sharp(original.body).metadata()).exif).toBeUndefined()
    expect(original.body.length).toBe(file.size)
    for (const [variant, width, height] of [
      ['thumb_320', 180, 320],
      ['thumb_1280', 720, 1_280],
    ] as const) {
      const { body } = await media.call(owner, 'GET', `/files/${file.file_id}/content?variant=${variant}`)
      expect(await sharp(body).metadata()).toMatchObject({ format: 'webp', width, height })
    }
    // The upload itself is deleted after the file is ready.
    await waitFor(
      async () => {
        const objects = (await media.objectsOf(file.file_id)).map((key) => key.split('/')[1])
        return objects.sort().join() === 'original,thumb_1280,thumb_320'
      },
      { what: 'the upload to be deleted' },
    )
  })

  it('an upload returns the page count of a PDF and the duration of a voice message, and leaves text unchanged', async () => {
    const owner = newId()
    const send = (name: string, mime: string, bytes: Uint8Array<ArrayBuffer>) =>
      media.examined(owner, { name, mime, bytes })
    expect(await send('a.pdf', 'application/pdf', pdfOf(3))).toMatchObject({ state: 'ready', pages: 3 })
    expect(await send('v.wav', 'audio/wav', wavOf(2))).toMatchObject({ kind: 'audio', duration_ms: 2_000 })
    const stored = await media.examined(owner, note)
    const { body, headers } = await media.call(owner, 'GET', `/files/${stored.file_id}/content`)
    expect(body.toString()).toBe('안녕하세요')
    expect(headers.get('content-disposition')).toContain(`filename*=UTF-8''${encodeURIComponent('메모.txt')}`)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })

  it.each([
    ['no file', {}, 'FILE_MISSING', 422],
    ['an empty file', { file: ['a.txt', 'text/plain', ''] }, 'FILE_EMPTY', 422],
    ['a path as a name', { file: ['../../a.txt', 'text/plain', 'x'] }, 'VALIDATION_FAILED', 422],
    [
      'a name with a direction override',
      { file: ['a\u202etxt.exe', 'text/plain', 'x'] },
      'VALIDATION_FAILED',
      422,
    ],
    [
      'an unknown purpose',
      { purpose: 'virus', file: ['a.txt', 'text/plain', 'x'] },
      'VALIDATION_FAILED',
      422,
    ],
    ['an unknown field', { colour: 'red', file: ['a.txt', 'text/plain', 'x'] }, 'VALIDATION_FAILED', 422],
    ['another name of the part', { other: ['a.txt', 'text/plain', 'x'] }, 'VALIDATION_FAILED', 422],
    [
      'an avatar that is not an image',
      { purpose: 'avatar', file: ['a.txt', 'text/plain', 'x'] },
      'FILE_TYPE_REFUSED',
      415,
    ],
  ] as const)('an upload rejects %s', async (_what, fields, code, status) => {
    const form = new FormData()
    for (const [name, value] of Object.entries(fields as Record<string, string | string[]>)) {
      if (typeof value === 'string') form.set(name, value)
      else form.set(name, new Blob([value[2]!], { type: value[1]! }), value[0]!)
    }
    const authorization = `Bearer ${await media.token(newId())}`
    const answer = await fetch(`${media.url}/files`, {
      method: 'POST',
      headers: { authorization },
      body: form,
    })
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({ code })
  })

  it('an upload rejects JSON and unauthenticated callers', async () => {
    expect((await media.call(newId(), 'POST', '/files', {})).body.code).toBe('MEDIA_TYPE_UNSUPPORTED')
    expect((await media.call(null, 'POST', '/files')).status).toBe(401)
  })

  it('an upload ends at 50 MB, or 10 MB for an avatar, and leaves nothing', async () => {
    const owner = newId()
    const bytes = new Uint8Array(50 * 2 ** 20 + 1).fill(65)
    const answer = await media.upload(owner, { ...note, bytes })
    expect(answer.body).toMatchObject({ code: 'FILE_TOO_LARGE', detail: 'At most 50 MB.' })
    const image = new Uint8Array(10 * 2 ** 20 + 1)
    image.set(await photo(64, 64))
    const avatar = await media.upload(owner, {
      name: 'a.jpg',
      mime: 'image/jpeg',
      bytes: image,
      purpose: 'avatar',
    })
    expect(avatar.body).toMatchObject({ code: 'FILE_TOO_LARGE', detail: 'At most 10 MB.' })
    expect((await media.call(owner, 'GET', '/files')).body.items).toEqual([])
  })

  it('an interrupted upload leaves nothing', async () => {
    const owner = newId()
    const outgoing = request(`${media.url}/files`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await media.token(owner)}`,
        'content-type': 'multipart/form-data; boundary=x',
        'content-length': 30_000_000,
      },
    })
    outgoing.on('error', () => undefined)
    outgoing.write(
      '--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\ncontent-type: text/plain\r\n\r\n',
    )
    outgoing.write('a'.repeat(6_000_000))
    const rows = () => media.mysql.query('SELECT id FROM files WHERE owner_id = ?', [owner])
    await waitFor(async () => (await rows()).length === 1)
    const [{ id }] = (await rows()) as [{ id: string }]
    outgoing.destroy()
    await waitFor(async () => (await rows()).length === 0, { what: 'the row to go' })
    await waitFor(async () => (await media.objectsOf(id)).length === 0)
  })

  it('an upload counts against the quota including concurrent reservations', async () => {
    const small = await startHarness({ QUOTA_BYTES: '3000' })
    try {
      const owner = newId()
      const file = { ...note, bytes: text('a'.repeat(1_000)) }
      const answers = await Promise.all(Array.from({ length: 6 }, () => small.upload(owner, file)))
      const codes = answers.map(({ status, body }) => (status === 201 ? 'taken' : body.code))
      expect(codes.filter((code) => code === 'taken').length).toBeLessThanOrEqual(2)
      expect(codes).toContain('QUOTA_EXCEEDED')
      const { body } = await small.call(owner, 'GET', '/files/usage')
      expect(body.used_bytes).toBe(1_000 * body.file_count)
      expect(body.quota_bytes).toBe(3_000)
    } finally {
      await small.stop()
    }
  }, 60_000)
})

describe('startUpload', () => {
  it('a multipart upload resumes after an interruption, and accepts no part twice or of another size', async () => {
    const owner = newId()
    const size = 8 * 2 ** 20 + 1_000
    const bytes = Buffer.alloc(size, 'direct upload ')
    const begun = await media.call(owner, 'POST', '/files/uploads', {
      name: 'a.txt',
      mime: 'text/plain',
      size,
    })
    expect(begun.body).toMatchObject({ file: { state: 'uploading' }, part_size: 8 * 2 ** 20 })
    const [first, second] = begun.body.parts
    expect(first.url).not.toMatch(/checksum/i)
    expect((await fetch(second.url, { method: 'PUT', body: Buffer.alloc(5_000) })).ok).toBe(false)
    expect((await fetch(first.url, { method: 'PUT', body: bytes.subarray(0, first.size) })).ok).toBe(true)
    const { file_id } = begun.body.file
    const early = await media.call(owner, 'POST', `/files/${file_id}/complete`)
    expect(early.body).toMatchObject({ code: 'UPLOAD_INCOMPLETE', detail: '1 parts are missing.' })
    const resumed = await media.call(owner, 'GET', `/files/${file_id}/upload`)
    expect(resumed.body.parts.map(({ received }: { received: boolean }) => received)).toEqual([true, false])
    const rest = await fetch(resumed.body.parts[1].url, { method: 'PUT', body: bytes.subarray(first.size) })
    expect(rest.ok).toBe(true)
    expect((await media.call(owner, 'POST', `/files/${file_id}/complete`)).status).toBe(202)
    expect((await media.call(owner, 'POST', `/files/${file_id}/complete`)).status).toBe(202)
    const done = await media.call(owner, 'GET', `/files/${file_id}?wait_seconds=25`)
    expect(done.body).toMatchObject({ state: 'ready', size })
    const content = await media.call(owner, 'GET', `/files/${file_id}/content`)
    expect(content.body.equals(bytes)).toBe(true)
    expect((await media.call(owner, 'GET', `/files/${file_id}/upload`)).body.code).toBe('UPLOAD_OVER')
  })

  it('a multipart upload rejects more than 100 MB, empty files, and types that are not accepted', async () => {
    const start = (body: object) => media.call(newId(), 'POST', '/files/uploads', body)
    const file = { name: 'a.mp4', mime: 'video/mp4' }
    expect((await start({ ...file, size: 100 * 2 ** 20 + 1 })).body.errors[0].field).toBe('size')
    expect((await start({ ...file, size: 0 })).body.errors[0].field).toBe('size')
    expect((await start({ name: 'a.html', mime: 'text/html', size: 1 })).status).toBe(415)
  })
})

describe('getFileContent', () => {
  it('a download serves ranges, returns 416 for an invalid range, and 304 for an unchanged file', async () => {
    const owner = newId()
    const { file_id } = await media.examined(owner, { ...note, bytes: text('0123456789') })
    const fetchPart = async (headers: Record<string, string>) => {
      const authorization = `Bearer ${await media.token(owner)}`
      return fetch(`${media.url}/files/${file_id}/content`, { headers: { authorization, ...headers } })
    }
    const part = await fetchPart({ range: 'bytes=2-4' })
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 2-4/10',
      '234',
    ])
    const beyond = await fetchPart({ range: 'bytes=10-' })
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */10'])
    const again = await fetchPart({ 'if-none-match': part.headers.get('etag')! })
    expect(again.status).toBe(304)
  })

  it('a download is limited to users who currently see a message with the file', async () => {
    const [owner, member, stranger] = [newId(), newId(), newId()]
    const file = await media.examined(owner, note)
    const other = await media.examined(owner, note)
    const { messageId } = await sent(file)
    media.show(messageId, file.file_id, [member])
    const get = async (userId: number, id: string, query = '') =>
      (await media.call(userId, 'GET', `/files/${id}/content${query}`)).status
    const named = `?message_id=${messageId}`
    expect(await get(owner, file.file_id)).toBe(200)
    expect(await get(member, file.file_id, named)).toBe(200)
    expect(await get(member, file.file_id)).toBe(404)
    expect(await get(stranger, file.file_id, named)).toBe(404)
    // A message with another file does not grant access to this one.
    expect(await get(member, other.file_id, named)).toBe(404)
    media.show(messageId, file.file_id, [])
    expect(await get(member, file.file_id, named)).toBe(404)
    expect((await media.call(member, 'GET', `/files/${file.file_id}`)).status).toBe(404)
    expect((await media.call(member, 'DELETE', `/files/${file.file_id}`)).status).toBe(404)
  })

  it('a download redirects to a URL that works without a token, as an attachment of a fixed type', async () => {
    const owner = newId()
    const { file_id } = await media.examined(owner, note)
    const answer = await media.call(owner, 'GET', `/files/${file_id}/content?redirect=true`)
    expect(answer.status).toBe(302)
    const { body: link } = await media.call(owner, 'GET', `/files/${file_id}/link`)
    for (const url of [answer.headers.get('location')!, link.url]) {
      expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('60')
      const fetched = await fetch(url)
      expect(await fetched.text()).toBe('안녕하세요')
      expect(fetched.headers.get('content-type')).toContain('text/plain')
      expect(fetched.headers.get('content-disposition')).toContain('attachment')
      const forged = url.replace(/(?<=Signature=)./, (digit: string) => (digit === '0' ? '1' : '0'))
      expect((await fetch(forged)).ok).toBe(false)
    }
  })
})

describe('the lifetime of a file', () => {
  it('a file is deleted when the last message with it is deleted for everybody', async () => {
    const owner = newId()
    const file = await media.examined(owner, note)
    const [first, second] = [await sent(file), await sent(file)]
    expect((await media.call(owner, 'DELETE', `/files/${file.file_id}`)).body.code).toBe('FILE_IN_USE')
    const gone = (use: { messageId: string; roomId: number; userId: number }) =>
      media.publish(messageDeleted, {
        message_id: use.messageId,
        room_id: use.roomId,
        seq: 1,
        user_id: use.userId,
        deleted_by: use.userId,
        deleted_at: new Date().toISOString(),
      })
    await gone(first)
    await waitFor(async () => (await usesOf(file)).length === 1)
    await media.publish(roomDeleted, { room_id: second.roomId, deleted_by: second.userId })
    await waitFor(async () => (await usesOf(file)).length === 0)
    // Skips the grace period of a minute.
    await media.mysql.query('UPDATE files SET expires_at = expires_at - INTERVAL 1 MINUTE WHERE id = ?', [
      file.file_id,
    ])
    await isGone(file)
  })

  it('a file is deleted after 24 hours only if no message uses it', async () => {
    const owner = newId()
    const [unused, used] = [await media.examined(owner, note), await media.examined(owner, note)]
    expect(Date.parse(unused.expires_at!) - Date.parse(unused.created_at)).toBeCloseTo(86_400_000, -5)
    await sent(used)
    const past = 'UPDATE files SET expires_at = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND WHERE id = ?'
    await media.mysql.query(past, [unused.file_id])
    await media.mysql.query(past, [used.file_id])
    await isGone(unused)
    expect((await media.call(owner, 'GET', `/files/${used.file_id}`)).status).toBe(200)
  })

  it('a file is deleted immediately when its owner removes it', async () => {
    const owner = newId()
    const file = await media.examined(owner, {
      name: 'a.jpg',
      mime: 'image/jpeg',
      bytes: await photo(64, 48),
    })
    expect((await media.call(owner, 'DELETE', `/files/${file.file_id}`)).status).toBe(204)
    await isGone(file)
  })

  it('a claim extends the lifetime of a file, and only its owner can make one for a matching message', async () => {
    const owner = newId()
    const file = await media.examined(owner, note)
    const claim = (userId: number, message_type: string) =>
      media.call(userId, 'POST', `/files/${file.file_id}/claim`, { message_type })
    expect((await claim(newId(), 'file')).body.code).toBe('FILE_NOT_FOUND')
    expect((await claim(owner, 'image')).body.code).toBe('FILE_KIND_MISMATCH')
    expect((await claim(owner, 'file')).body).toMatchObject({ file_id: file.file_id, kind: 'document' })
    const { body } = await media.call(owner, 'GET', `/files/${file.file_id}`)
    expect(Date.parse(body.expires_at) - Date.now()).toBeGreaterThan(6.9 * 86_400_000)
  })

  it.each(['keep', 'remove'] as const)(
    'a file is deleted with the account of its owner; policy for messages: %s',
    async (policy) => {
      const [owner, member] = [newId(), newId()]
      const [shown, unused] = [await media.examined(owner, note), await media.examined(owner, note)]
      const { messageId } = await sent(shown)
      media.show(messageId, shown.file_id, [member])
      await media.publish(userDeleted, {
        user_id: owner,
        deletion_id: crypto.randomUUID(),
        message_policy: policy,
      })
      await isGone(unused)
      const { status } = await media.call(
        member,
        'GET',
        `/files/${shown.file_id}/content?message_id=${messageId}`,
      )
      expect(status).toBe(policy === 'keep' ? 200 : 404)
      await media.eventOf(mediaDataErased, ({ user_id }) => user_id === owner)
    },
  )

  it('an avatar is square and public, and lasts while the profile shows it', async () => {
    const owner = newId()
    const [old, fresh] = [await pictureOf(owner, 'avatar'), await pictureOf(owner, 'avatar')]
    const shows = (fileId: string) =>
      media.publish(userUpdated, {
        user_id: owner,
        username: 'u',
        display_name: 'U',
        status_message: null,
        profile_image_url: pictureUrlOf(fileId),
      })
    const picture = await media.call(null, 'GET', `/pictures/${old.file_id}`)
    expect(picture.headers.get('content-type')).toBe('image/webp')
    expect(await sharp(picture.body).metadata()).toMatchObject({ width: 512, height: 512 })
    await shows(old.file_id)
    await waitFor(async () => (await usesOf(old)).length === 1)
    await shows(fresh.file_id)
    await waitFor(async () => (await usesOf(fresh)).length === 1)
    expect(await usesOf(old)).toEqual([])
    expect(
      (await media.call(null, 'GET', `/pictures/${(await media.examined(owner, note)).file_id}`)).status,
    ).toBe(404)
  })

  it('a claim of its owner for its purpose extends the lifetime of a picture', async () => {
    const owner = newId()
    const picture = await pictureOf(owner, 'room_picture')
    const claim = (userId: number, file: StoredFile, purpose: string) =>
      media.call(userId, 'POST', `/files/${file.file_id}/claim-picture`, { purpose })
    expect((await claim(newId(), picture, 'room_picture')).body.code).toBe('FILE_NOT_FOUND')
    expect((await claim(owner, picture, 'avatar')).body.code).toBe('FILE_KIND_MISMATCH')
    expect((await claim(owner, await media.examined(owner, note), 'avatar')).body.code).toBe(
      'FILE_KIND_MISMATCH',
    )
    const cut = (await photo(700, 400)).subarray(0, 300)
    const broken = { name: 'a.jpg', mime: 'image/jpeg', bytes: cut, purpose: 'avatar' }
    expect((await claim(owner, await media.examined(owner, broken), 'avatar')).body.code).toBe(
      'FILE_NOT_READY',
    )
    expect((await claim(owner, picture, 'room_picture')).status).toBe(204)
    const { body } = await media.call(owner, 'GET', `/files/${picture.file_id}`)
    expect(Date.parse(body.expires_at) - Date.now()).toBeGreaterThan(6.9 * 86_400_000)
    expect(
      (await media.call(owner, 'POST', `/files/${picture.file_id}/claim`, { message_type: 'image' })).body
        .code,
    ).toBe('FILE_KIND_MISMATCH')
  })

  it("a room's picture is deleted with the next picture or the room, and not with its owner's account", async () => {
    const [owner, room_id] = [newId(), newId()]
    const [old, fresh, avatar] = [
      await pictureOf(owner, 'room_picture'),
      await pictureOf(owner, 'room_picture'),
      await pictureOf(owner, 'avatar'),
    ]
    const shown = ({ file_id }: StoredFile) => ({ room_id, name: null, image_url: pictureUrlOf(file_id) })
    await media.publish(roomCreated, {
      ...shown(old),
      room_type: 'group',
      created_by: owner,
      member_ids: [owner],
    })
    await waitFor(async () => (await usesOf(old)).length === 1)
    await media.publish(roomUpdated, { ...shown(fresh), changed_by: owner, changed: ['image_url'] })
    await waitFor(async () => (await usesOf(fresh)).length === 1)
    expect(await usesOf(old)).toEqual([])
    await media.publish(roomUpdated, { ...shown(avatar), room_id: newId(), changed_by: owner })
    await media.publish(userDeleted, {
      user_id: owner,
      deletion_id: crypto.randomUUID(),
      message_policy: 'remove',
    })
    await isGone(avatar)
    const picture = await media.call(null, 'GET', `/pictures/${fresh.file_id}`)
    expect(picture.status).toBe(200)
    expect(await sharp(picture.body).metadata()).toMatchObject({ width: 512, height: 512, format: 'webp' })
    await media.publish(roomDeleted, { room_id, deleted_by: owner })
    await waitFor(async () => (await usesOf(fresh)).length === 0)
  })
})
