import { Problem } from '@bigtech/service-kit'
import { expect, it } from 'vitest'
import { e164 } from './phone.ts'

it.each([
  ['+82 10-1234-5678', '+821012345678'],
  ['+82 (0)10 1234 5678', '+821012345678'],
  ['+81 90-1234-5678', '+819012345678'],
  ['+1 (415) 555-2671', '+14155552671'],
])('the phone number %s is normalized to %s', (text, number) => expect(e164(text, 'phone')).toBe(number))

it.each(['+82 10-1234', '+999 12345678', '+82 10-1234-5678-9012', '+1 000 000 0000'])(
  'the phone number %s is rejected with an error that names the field',
  (text) => {
    expect(() => e164(text, 'phone')).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_FAILED',
        errors: [expect.objectContaining({ field: 'phone' })],
      }),
    )
    expect(() => e164(text, 'phone')).toThrow(Problem)
  },
)
