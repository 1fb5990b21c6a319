import { expect, it } from 'vitest'
import { weaknessOf } from './password-policy.ts'

const own = { email: 'minji.kim@example.com', username: 'minji_k', displayName: '김민지예쁘다' }

it.each([
  ['password1', 'a common password', 'common'],
  ['QWERTY123', 'a common password in another case', 'common'],
  ['minji.kim', 'the local part of the address', 'your name or address'],
  ['minji.kim@example.com', 'the address', 'your name or address'],
  ['Minji_K12', 'the username with two digits', 'your name or address'],
  ['김민지예쁘다1!', 'the display name with two characters', 'your name or address'],
])('the password policy rejects %s: %s', (password, _what, reason) => {
  expect(weaknessOf(password, own)).toContain(reason)
})

it.each(['Test1234!@', 'correct horse battery', 'minji_k and seven others', '나랏말싸미듕귁에달아'])(
  'the password policy accepts %s',
  (password) => {
    expect(weaknessOf(password, own)).toBeUndefined()
    // A short name is part of many good passwords.
    expect(
      weaknessOf(password, { email: 'test@example.com', username: 'testuser', displayName: 'a' }),
    ).toBeUndefined()
  },
)
