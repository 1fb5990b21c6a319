import { describe, expect, it } from 'vitest'
import { classifyError, describeError, KafkaUnavailable, PermanentError, UnavailableError } from './errors.ts'

const coded = (code: string | number) => Object.assign(new Error('x'), { code })
const named = (name: string) => Object.assign(new Error('x'), { name })

describe('classifyError', () => {
  it.each([
    [new PermanentError('x'), 'permanent'],
    [new UnavailableError('x'), 'unavailable'],
    [new KafkaUnavailable('x'), 'unavailable'],
    [coded('ECONNREFUSED'), 'unavailable'],
    [coded('ER_GET_CONNECTION_TIMEOUT'), 'unavailable'],
    [coded('P1001'), 'unavailable'],
    [named('MongoServerSelectionError'), 'unavailable'],
    [Object.assign(named('StoreUnavailable'), { cause: new Error('no answer in time') }), 'unavailable'],
    [Object.assign(new Error('x'), { cause: { kind: 'DatabaseNotReachable' } }), 'unavailable'],
    [coded('ER_LOCK_DEADLOCK'), 'conflict'],
    [coded(112), 'conflict'],
    [new TypeError('x'), 'transient'],
    [coded('ER_DUP_ENTRY'), 'transient'],
    ['a string', 'transient'],
  ] as const)('%s is %s', (error, kind) => {
    expect(classifyError(error)).toBe(kind)
  })

  it('looks through causes', () => {
    expect(classifyError(new Error('outer', { cause: new Error('inner', { cause: coded('EPIPE') }) }))).toBe(
      'unavailable',
    )
  })

  it.each([
    ['a deadlock', { kind: 'TransactionWriteConflict' }, 'conflict'],
    ['a lock wait time-out', { kind: 'mysql', code: 1205 }, 'conflict'],
    ['an exhausted pool', { kind: 'mysql', code: 45028 }, 'unavailable'],
    ['a broken statement', { kind: 'mysql', code: 1064 }, 'transient'],
  ])('reads %s of a raw statement where Prisma puts it', (_case, cause, kind) => {
    const driverAdapterError = Object.assign(new Error('adapter'), { cause })
    const error = Object.assign(new Error('Raw query failed'), {
      code: 'P2010',
      meta: { driverAdapterError },
    })
    expect(classifyError(error)).toBe(kind)
  })

  it('lets a service know better', () => {
    expect(
      classifyError(coded('MY_STORE_AWAY'), (e) =>
        (e as { code: string }).code === 'MY_STORE_AWAY' ? 'unavailable' : undefined,
      ),
    ).toBe('unavailable')
  })
})

describe('describeError', () => {
  it('shows no SQL parameters', () => {
    const error = Object.assign(new Error("Duplicate entry\nsql: INSERT ... - parameters:['$2b$12$hash']"), {
      sqlMessage: 'Duplicate entry',
    })
    expect(describeError(error)).toBe('Error: Duplicate entry')
  })

  it('is one bounded line', () => {
    expect(describeError(new Error(`a\n${'b'.repeat(1000)}`))).toBe('Error: a')
    expect(describeError(new Error('c'.repeat(1000))).length).toBe(300)
  })
})
