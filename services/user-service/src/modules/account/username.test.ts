import { username as schema } from '@bigtech/contracts'
import { expect, it } from 'vitest'
import { isReserved, skeletonOf } from './username.ts'

it.each([
  ['Cyrillic letters', 'minji', 'mіnjі'],
  ['fullwidth letters', 'minji', 'ｍｉｎｊｉ'],
  ['mathematical letters', 'minji', '𝓶𝓲𝓷𝓳𝓲'],
  ['another case', 'minji', 'MINJI'],
  ['a digit for a letter', 'paypal', 'paypa1'],
  ['two letters for one', 'modem', 'modern'],
  ['decomposed Hangul', '한글이', '한글이'.normalize('NFD')],
])('two usernames that differ only by %s are the same username', (_case, name, lookalike) => {
  expect(skeletonOf(lookalike)).toBe(skeletonOf(name))
})

it.each([
  ['minji', 'minja'],
  ['jose', 'josé'],
  ['한글', '한굴'],
  ['user2', 'user3'],
])('%s and %s are different usernames', (a, b) => {
  expect(skeletonOf(a)).not.toBe(skeletonOf(b))
})

it.each([
  'admin',
  'Аdmin',
  'ＡＤＭＩＮ',
  'ad.min',
  '_admin_',
  'àdmin',
  'deleted_1',
  'DELETED.42',
  '관리자',
  'supp0rt',
])('the username %s is reserved', (name) => {
  expect(isReserved(name)).toBe(true)
})

it.each(['minji', 'adminji', 'deleted_scenes', 'roots', '한글관리'])('the username %s is allowed', (name) => {
  expect(isReserved(name)).toBe(false)
})

it.each([
  '민지minji',
  'ユーザーuser',
  '東京ok',
  'иван',
  'Ünïcode',
  'κώστας',
  'محمد',
  'a.b',
  'user_1',
  'ㅋㅋㅋ',
  'ไม่เป็น',
])('a username in scripts that are used together is valid: %s', (name) => {
  expect(schema.safeParse(name).error?.issues).toBeUndefined()
})

it.each([
  ['Latin and Cyrillic', 'аdmin'],
  ['Greek and Latin', 'αlpha'],
  ['Hangul and Cyrillic', '한글а'],
  ['a historic script', '𐎀𐎁𐎂'],
  ['signs alone', '...'],
  ['underscores alone', '___'],
  ['marks alone', '\u0301\u0302\u0303'],
  ['a mark at the beginning', '\u0301abc'],
])('a username of %s is invalid', (_case, name) => {
  expect(schema.safeParse(name).success).toBe(false)
})
