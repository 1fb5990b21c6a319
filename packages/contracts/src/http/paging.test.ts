import { describe, expect, it } from 'vitest'
import { idList, idParam, pageLimit } from './paging.ts'

describe('a number in a path or a query string', () => {
  it.each([
    ['42', 42],
    ['007', 7],
    [String(Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER],
    [42, 42],
  ])('a number in a path or a query string is accepted: %j', (given, id) => {
    expect(idParam.parse(given)).toBe(id)
  })

  it.each(['0', '-1', '', ' 5', '+33', '0x21', '33e0', '1.0', '1_000', 'Infinity', '9007199254740993', '٤٢'])(
    'a number in a path or a query string is rejected: %s',
    (given) => {
      expect(idParam.safeParse(given).success).toBe(false)
    },
  )

  it('the page size has a default and bounds', () => {
    expect([undefined, '1', '100'].map((limit) => pageLimit.parse(limit))).toEqual([20, 1, 100])
    for (const limit of ['0', '101', '1e1', '', 'ten']) {
      const { error } = pageLimit.safeParse(limit)
      expect(error?.issues.map(({ message }) => message)).toEqual(['A whole number from 1 to 100.'])
    }
  })

  it('a list of ids accepts decimal digits only', () => {
    expect(idList(3).parse('1, 2,2,3')).toEqual([1, 2, 3])
    for (const list of ['', ',', '1,2,3,4', '0x10', '1e3', '1,-2', '1.5', `${'1,'.repeat(100_000)}1`]) {
      expect(idList(3).safeParse(list).success, list.slice(0, 20)).toBe(false)
    }
  })
})
