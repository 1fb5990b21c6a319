import { expect, it } from 'vitest'
import { createSecretBox } from './secret-box.ts'

const old = 'an-old-key-of-length'
const current = 'a-new-key-of-enough'

it('the secret box opens a secret sealed with the first or an older key, but not with an unknown key', () => {
  const sealed = createSecretBox([old]).seal('JBSWY3DP', 'totp:1')
  expect(Buffer.from(sealed).toString('latin1')).not.toContain('JBSWY3DP')
  expect(createSecretBox([current, old]).open(sealed, 'totp:1')).toBe('JBSWY3DP')
  expect(() => createSecretBox([current]).open(sealed, 'totp:1')).toThrow(/not configured/)
})

it('the secret box rejects a secret that was modified or moved to another account', () => {
  const box = createSecretBox([current])
  const sealed = box.seal('JBSWY3DP', 'totp:1')
  expect(() => box.open(sealed, 'totp:2')).toThrow()
  sealed[sealed.length - 1]! ^= 1
  expect(() => box.open(sealed, 'totp:1')).toThrow()
})
