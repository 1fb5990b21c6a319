import { describe, expect, it } from 'vitest'
import { countTests } from './vitest.ts'

const report = (
  passed: number,
  failed: number,
  files: Array<{ status: string; assertionResults: Array<{ status: string }> }> = [],
) => ({
  numPassedTests: passed,
  numFailedTests: failed,
  testResults: files,
})

describe('counting tests', () => {
  it('counts a file that failed to load as a failure', () => {
    expect(countTests(report(3, 0, [{ status: 'failed', assertionResults: [] }]), 1)).toEqual({
      passed: 3,
      failed: 1,
    })
  })

  it('counts a file with failed setup as a failure although its tests are only skipped', () => {
    const skipped = [{ status: 'failed', assertionResults: [{ status: 'skipped' }, { status: 'skipped' }] }]
    expect(countTests(report(3, 0, skipped), 1)).toEqual({ passed: 3, failed: 1 })
    const counted = [{ status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] }]
    expect(countTests(report(1, 1, counted), 1)).toEqual({ passed: 1, failed: 1 })
  })

  it('counts an error outside any test as a failure', () => {
    expect(countTests(report(3, 0), 1)).toEqual({ passed: 3, failed: 1 })
  })

  it('counts a run without a report as a failure', () => {
    expect(countTests(undefined, 0)).toEqual({ passed: 0, failed: 1 })
  })

  it('otherwise counts the tests of the report', () => {
    expect(countTests(report(5, 2), 1)).toEqual({ passed: 5, failed: 2 })
    expect(countTests(report(5, 0), 0)).toEqual({ passed: 5, failed: 0 })
  })
})
