import { describe, expect, it } from 'vitest'
import { CommandError, explain, UserError } from './problems.ts'

describe('what a newcomer reads when something fails', () => {
  it.each([
    ['write failed: ENOSPC: no space left on device', 'The disk is full'],
    ["EACCES: permission denied, mkdir '/x'", 'No permission'],
    ['EROFS: read-only file system', 'read-only file system'],
    [
      'E: Failed to fetch http://deb.debian.org/x  Could not connect to 10.0.0.1:80',
      'A download server is unreachable',
    ],
    ['E: Unable to locate package postgresql-18', 'A download server is unreachable'],
    ['go: dial tcp: lookup modules.example: no such host', 'A download server is unreachable'],
    ['Could not transfer artifact org.apache.kafka:kafka_2.13', 'A download server is unreachable'],
  ])('explains a known failure in one sentence: %s', (text, sentence) => {
    expect(explain(new CommandError(`mvn failed\n${text}\nmore`))).toMatchObject({
      sentence: expect.stringContaining(sentence),
      detail: text,
    })
  })

  it('the error output prints our own messages unchanged', () => {
    expect(explain(new UserError('Do this.'))).toEqual({ sentence: 'Do this.' })
  })

  it('the error output keeps the stack of an unexpected error', () => {
    expect(explain(new TypeError('x is undefined')).detail).toContain('problems.test.ts')
  })
})
