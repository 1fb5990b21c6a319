import { describe, expect, it } from 'vitest'
import { friendNotice, languageOf, messageNotice, previewOf, retryDelayMs, welcomeMail } from './delivery.ts'

const content = { from: '미나', text: '점심 먹자', type: 'text' }
const one = { eventCount: 1, mentioned: false, content }
const ko = { language: 'ko', showPreview: true } as const

describe('notification texts', () => {
  it.each([
    ['ko', 'ko'],
    ['ko-KR', 'ko'],
    ['KO_kr', 'en'],
    ['kok-IN', 'en'],
    ['en-US', 'en'],
    [null, 'en'],
  ] as const)('notification texts use, in the locale %s, the language %s', (locale, language) => {
    expect(languageOf(locale)).toBe(language)
  })

  it('the notification of a single message in a direct room contains sender and text', () => {
    expect(messageNotice(one, '미나', { roomType: 'direct', name: null }, ko)).toEqual({
      title: '미나',
      body: '점심 먹자',
    })
  })

  it('the notification of a burst in a group contains room, sender, text and the number of further messages', () => {
    expect(messageNotice({ ...one, eventCount: 3 }, '미나', { roomType: 'group', name: '점심' }, ko)).toEqual(
      {
        title: '점심',
        body: '미나: 점심 먹자 (외 2개)',
      },
    )
  })

  it('notification texts describe a mention, a photo, a file, a voice message and a video', () => {
    const room = { roomType: 'direct', name: null }
    expect(messageNotice({ ...one, mentioned: true }, '미나', room, ko).body).toBe('나를 언급: 점심 먹자')
    expect(messageNotice({ ...one, content: { ...content, type: 'image' } }, '미나', room, ko).body).toBe(
      '사진을 보냈습니다.',
    )
    expect(messageNotice({ ...one, content: { ...content, type: 'file' } }, '미나', room, ko).body).toBe(
      '파일을 보냈습니다.',
    )
    expect(messageNotice({ ...one, content: { ...content, type: 'voice' } }, '미나', room, ko).body).toBe(
      '음성 메시지를 보냈습니다.',
    )
    expect(messageNotice({ ...one, content: { ...content, type: 'video' } }, '미나', room, ko).body).toBe(
      '동영상을 보냈습니다.',
    )
  })

  it('notification texts contain neither sender nor text without previews, or after the message was deleted', () => {
    const hidden = messageNotice({ ...one, eventCount: 2 }, '미나', undefined, {
      language: 'en',
      showPreview: false,
    })
    expect(hidden).toEqual({ title: 'BigTech Chat', body: 'You have 2 new messages.' })
    expect(messageNotice({ ...one, content: null }, '미나', undefined, ko).body).toBe('새 메시지가 있습니다.')
  })

  it('notification texts handle a friend request from a user whose name is unknown', () => {
    expect(friendNotice('friend_request', undefined, 'en').body).toBe('Somebody wants to be your friend.')
  })

  it('notification texts shorten long messages at a character boundary', () => {
    const preview = previewOf(`안녕\n\n${'👍'.repeat(200)}`)
    expect([...preview]).toHaveLength(120)
    expect(preview.startsWith('안녕 👍')).toBe(true)
    expect(preview.isWellFormed()).toBe(true)
  })

  it('notification texts do not name a user who has blocked the reader, or whose account was deleted', () => {
    expect(messageNotice(one, undefined, { roomType: 'direct', name: null }, ko).title).toBe('미나')
    expect(messageNotice(one, null, { roomType: 'group', name: '점심' }, ko)).toEqual({
      title: '점심',
      body: '누군가: 점심 먹자',
    })
  })

  it('notification texts use the display name of the sender, which the message does not contain', () => {
    expect(messageNotice(one, '김미나', { roomType: 'direct', name: null }, ko).title).toBe('김미나')
    const inGroup = messageNotice(one, '김미나', { roomType: 'group', name: '점심' }, ko)
    expect(inGroup).toEqual({ title: '점심', body: '김미나: 점심 먹자' })
  })

  it('the welcome text exists in both languages', () => {
    expect(welcomeMail('ko').text).toContain('안녕하세요!')
    expect(welcomeMail('en').text).toContain('Hello,')
  })
})

describe('retryDelayMs', () => {
  it('retryDelayMs increases up to about an hour, and ends', () => {
    const waits = Array.from({ length: 10 }, (_, index) => retryDelayMs('mail', index + 1, 0.5))
    expect(waits.slice(0, 4)).toEqual([5_000, 20_000, 80_000, 320_000])
    expect(waits.at(-2)).toBe(3_600_000)
    expect(waits.at(-1)).toBeUndefined()
    expect(retryDelayMs('push', 6, 0.5)).toBeUndefined()
  })
})
