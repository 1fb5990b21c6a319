import { expect, it } from 'vitest'
import { weaknessOf } from './password-policy.ts'

const own = { email: 'minji.kim@example.com', username: 'minji_k', displayName: '김민지예쁘다' }

it.each([
  ['password1', 'a common password'],
  ['QWERTY123', 'a common password in another case'],
  ['minji.kim', 'the local part of the address'],
  ['minji.kim@example.com', 'the address'],
  ['Minji_K12', 'the username with two digits'],
  ['김민지예쁘다1!', 'the display name with two characters'],
])('refuses %s: %s', (password) => {
  expect(weaknessOf(password, own)).toBeDefined()
})

it.each(['Test1234!@', 'correct horse battery', 'minji_k and seven others', '나랏말싸미듕귁에달아'])(
  'takes %s',
  (password) => {
    expect(weaknessOf(password, own)).toBeUndefined()
    // A short name is part of many good passwords.
    expect(
      weaknessOf(password, { email: 'test@example.com', username: 'testuser', displayName: 'a' }),
    ).toBeUndefined()
  },
)
