import { describe, expect, it } from 'vitest'
import { classifyError, describeError, KafkaUnavailable, PermanentError, RecordRejected } from './errors.ts'

describe('classifyError', () => {
  it.each([
    [new PermanentError('x'), 'permanent'],
    [new RecordRejected('x'), 'permanent'],
    [new KafkaUnavailable('x'), 'unavailable'],
    [new TypeError('x'), 'transient'],
    ['a string', 'transient'],
  ] as const)('classifies %s as %s', (error, kind) => {
    expect(classifyError(error)).toBe(kind)
  })

  it('classifyError classifies an error by its cause', () => {
    const inner = new Error('inner', { cause: new KafkaUnavailable('x') })
    expect(classifyError(new Error('outer', { cause: inner }))).toBe('unavailable')
  })

  it('classifyError passes every other error to the classifier of the stores', () => {
    const outage = new Error('store is unavailable')
    const classifier = (error: unknown) => (error === outage ? ('unavailable' as const) : undefined)
    expect(classifyError(outage, classifier)).toBe('unavailable')
    expect(classifyError(new Error('x'), classifier)).toBe('transient')
  })

  it('classifyError never classifies a permanent error as retryable', () => {
    expect(classifyError(new PermanentError('x'), () => 'unavailable')).toBe('permanent')
  })
})

describe('describeError', () => {
  it('describeError omits SQL parameters', () => {
    const error = Object.assign(new Error("Duplicate entry\nsql: INSERT ... - parameters:['$2b$12$hash']"), {
      sqlMessage: 'Duplicate entry',
    })
    expect(describeError(error)).toBe('Error: Duplicate entry')
  })

  it('describeError returns one bounded line', () => {
    expect(describeError(new Error(`a\n${'b'.repeat(1000)}`))).toBe('Error: a')
    expect(describeError(new Error('c'.repeat(1000))).length).toBe(300)
  })
})
