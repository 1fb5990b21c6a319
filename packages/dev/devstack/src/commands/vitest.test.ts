import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../paths.ts'
import { countTests, type Report } from './vitest.ts'

type File = Report['testResults'][number]

const file = (status: string, assertionResults: File['assertionResults'], message = ''): File => ({
  name: join(root, 'packages/kafka/src/a.test.ts'),
  status,
  message,
  assertionResults,
})

const failed = (fullName: string, ...failureMessages: string[]) => ({
  status: 'failed',
  fullName,
  failureMessages,
})

const report = (passed: number, files: File[] = []): Report => ({
  numPassedTests: passed,
  testResults: files,
})

describe('counting tests', () => {
  it('the summary of a test run counts a file that failed to load as a failure and shows its error', () => {
    const broken = file('failed', [], "Cannot find module './b.ts'\nRequire stack:\n")
    expect(countTests(report(3, [broken]), 1)).toEqual({
      passed: 3,
      failed: 1,
      failures: ["packages/kafka/src/a.test.ts (failed to load or set up)\n  Cannot find module './b.ts'"],
    })
  })

  it('the summary of a test run counts a file with failed setup as a failure although its tests are only skipped', () => {
    const skipped = file('failed', [
      { status: 'skipped', fullName: 'one' },
      { status: 'skipped', fullName: 'two' },
    ])
    expect(countTests(report(3, [skipped]), 1)).toEqual({
      passed: 3,
      failed: 1,
      failures: ['packages/kafka/src/a.test.ts (failed to load or set up)'],
    })
  })

  it('the summary of a test run names each failed test by file, full title and the first line of its error without colors', () => {
    const mixed = file('failed', [
      failed(
        'publisher retries',
        '\u001b[31mAssertionError: expected 1 to be 2\u001b[39m\n    at a.test.ts:3',
      ),
      { status: 'passed', fullName: 'publisher publishes' },
      failed('publisher drains'),
    ])
    expect(countTests(report(1, [mixed]), 1)).toEqual({
      passed: 1,
      failed: 2,
      failures: [
        'packages/kafka/src/a.test.ts > publisher retries\n  AssertionError: expected 1 to be 2',
        'packages/kafka/src/a.test.ts > publisher drains',
      ],
    })
  })

  it('the summary of a test run counts an error outside any test as a failure', () => {
    expect(countTests(report(3), 1)).toEqual({
      passed: 3,
      failed: 1,
      failures: ['an error outside any test'],
    })
  })

  it('the summary of a test run counts a run without a report as a failure', () => {
    expect(countTests(undefined, 0)).toEqual({
      passed: 0,
      failed: 1,
      failures: ['vitest ended without a report'],
    })
  })

  it('the summary of a test run names no failure when every test passed', () => {
    expect(countTests(report(5, [file('passed', [{ status: 'passed', fullName: 'one' }])]), 0)).toEqual({
      passed: 5,
      failed: 0,
      failures: [],
    })
  })
})
