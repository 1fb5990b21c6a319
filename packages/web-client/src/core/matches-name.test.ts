import { describe, expect, it } from 'vitest'
import { matchesName } from './matches-name.ts'

describe('matchesName', () => {
  it.each([
    ['미나', '김미나'],
    ['ㄱㅁㄴ', '김미나'],
    ['ㅁㄴ', '김미나'],
    ['MINA', 'mina'],
    ['', '김미나'],
  ])('finds %j in %j', (typed, name) => expect(matchesName(typed, name)).toBe(true))

  it.each([
    ['ㄱㄴ', '김미나'],
    ['juno', 'mina'],
    ['김ㅁ', 'mina'],
  ])('does not find %j in %j', (typed, name) => expect(matchesName(typed, name)).toBe(false))
})
