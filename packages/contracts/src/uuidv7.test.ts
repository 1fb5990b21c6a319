import { expect, it } from 'vitest'
import { uuidv7 } from './uuidv7.ts'

it('uuidv7 returns a UUID of version 7 that begins with its time', () => {
  const id = uuidv7(0x0123456789ab)
  expect(id).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

it('uuidv7 never returns the same id twice, and later ids sort after earlier ones', () => {
  const ids = Array.from({ length: 5_000 }, (_, n) => uuidv7(1_700_000_000_000 + n))
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.toSorted()).toEqual(ids)
  expect(new Set(Array.from({ length: 5_000 }, () => uuidv7(1))).size).toBe(5_000)
})
