import { describe, expect, it } from 'vitest'
import { classifyStoreError, StoreUnavailable } from './errors.ts'

const coded = (code: string | number) => Object.assign(new Error('x'), { code })
const named = (name: string) => Object.assign(new Error('x'), { name })

describe('classifyStoreError', () => {
  it.each([
    [coded('ECONNREFUSED'), 'unavailable'],
    [coded('ER_GET_CONNECTION_TIMEOUT'), 'unavailable'],
    [coded('P1001'), 'unavailable'],
    [named('MongoServerSelectionError'), 'unavailable'],
    [new StoreUnavailable('mysql', new Error('no response in time')), 'unavailable'],
    [Object.assign(new Error('x'), { cause: { kind: 'DatabaseNotReachable' } }), 'unavailable'],
    [coded('ER_LOCK_DEADLOCK'), 'conflict'],
    [coded(112), 'conflict'],
    [new TypeError('x'), undefined],
    [coded('ER_DUP_ENTRY'), undefined],
    ['a string', undefined],
  ] as const)('classifies %s as %s', (error, kind) => {
    expect(classifyStoreError(error)).toBe(kind)
  })

  it('classifyStoreError classifies an error by its cause', () => {
    expect(
      classifyStoreError(new Error('outer', { cause: new Error('inner', { cause: coded('EPIPE') }) })),
    ).toBe('unavailable')
  })

  it.each([
    ['a deadlock', { kind: 'TransactionWriteConflict' }, 'conflict'],
    ['a lock wait time-out', { kind: 'mysql', code: 1205 }, 'conflict'],
    ['an exhausted pool', { kind: 'mysql', code: 45028 }, 'unavailable'],
    ['a broken statement', { kind: 'mysql', code: 1064 }, undefined],
  ])('classifies %s of a raw statement as reported by Prisma', (_case, cause, kind) => {
    const driverAdapterError = Object.assign(new Error('adapter'), { cause })
    const error = Object.assign(new Error('Raw query failed'), {
      code: 'P2010',
      meta: { driverAdapterError },
    })
    expect(classifyStoreError(error)).toBe(kind)
  })
})
