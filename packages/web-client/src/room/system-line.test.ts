import { type Message, messageExample } from '@bigtech/client'
import i18next from 'i18next'
import { beforeAll, describe, expect, it } from 'vitest'
import { texts } from '../i18n/en.ts'
import { systemLine } from './system-line.ts'

beforeAll(async () => {
  await i18next.init({
    lng: 'en',
    keySeparator: false,
    interpolation: { escapeValue: false },
    resources: { en: { translation: texts } },
  })
})

const names = new Map([
  [100, '김미나'],
  [101, '박준오'],
])
const line = (kind: string, payload: Record<string, unknown>, changes: Partial<Message> = {}) =>
  systemLine(
    { ...messageExample, content: '', message_type: 'system', system: { kind, payload }, ...changes },
    (userId) => names.get(userId),
    (key, values) => i18next.t(key, values ?? {}) as string,
  )

describe('a system message', () => {
  it.each([
    ['members_invited', { user_ids: [101, 102] }, '김미나 invited 박준오, Unknown user'],
    ['member_joined', { user_ids: [100] }, '김미나 joined'],
    ['member_silenced', { user_id: 101 }, '김미나 muted 박준오 in this group'],
    ['member_unsilenced', { user_id: 101 }, '김미나 lets 박준오 write again'],
    ['posting_changed', { posting: 'admins' }, '김미나 lets only the owner and admins write'],
    ['posting_changed', { posting: 'everyone' }, '김미나 lets everybody write'],
    ['slow_mode_changed', { slow_mode_seconds: 30 }, '김미나 set slow mode: one message in 30 s'],
    ['slow_mode_changed', { slow_mode_seconds: 0 }, '김미나 turned slow mode off'],
    ['member_left', { user_ids: [100] }, '김미나 left'],
    ['member_removed', { user_ids: [101] }, '김미나 removed 박준오'],
    ['room_renamed', { name: '점심' }, '김미나 named the group “점심”'],
    ['room_renamed', { name: null }, "김미나 removed the group's name"],
    ['room_image_changed', { image_url: null }, "김미나 changed the group's picture"],
    ['owner_changed', { user_id: 101, role: 'owner' }, '박준오 is the owner now'],
    ['role_changed', { user_id: 101, role: 'admin' }, '박준오 is an admin now'],
    ['role_changed', { user_id: 101, role: 'member' }, '박준오 is a member now'],
    ['from_the_future', {}, 'The chat was changed'],
  ])('%s %o is rendered as a sentence', (kind, payload, expected) => {
    expect(line(kind, payload)).toBe(expected)
  })

  it('a system message names a former author by the name in the message, and a deleted account as unknown', () => {
    expect(line('member_left', {}, { user_id: 7, username: 'jisoo' })).toBe('jisoo left')
    expect(line('member_left', {}, { user_id: 7, username: '' })).toBe('Unknown user left')
  })
})
