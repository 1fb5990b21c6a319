import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../paths.ts'
import { runVisible } from '../run.ts'
import type { Count } from './lint.ts'

interface Report {
  numPassedTests: number
  numFailedTests: number
  testResults: Array<{ status: string; assertionResults: Array<{ status: string }> }>
}

/**
 * Counts passed and failed tests. Also counts as a failure: a file that failed to load or set up (its tests
 * are reported as skipped), and an error outside any test.
 */
export function countTests(report: Report | undefined, exitCode: number): Count {
  if (!report) return { passed: 0, failed: 1 }
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  )
  const failed = report.numFailedTests + broken.length
  return { passed: report.numPassedTests, failed: failed === 0 && exitCode !== 0 ? 1 : failed }
}

export interface VitestRun {
  projects: readonly string[]
  filters: readonly string[]
  env: Record<string, string>
  /** Directory for the report. */
  folder: string
  pidFolder: string
}

/** Runs vitest with readable output and a JSON report for counting. */
export async function runVitest(options: VitestRun): Promise<Count> {
  const file = join(options.folder, `vitest-${options.projects.join('-')}.json`)
  rmSync(file, { force: true })
  const args = [
    'run',
    ...options.projects.map((project) => `--project=${project}`),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
    '--passWithNoTests',
    ...options.filters,
  ]
  const exitCode = await runVisible('vitest', args, {
    cwd: root,
    env: { ...process.env, ...options.env },
    pidFolder: options.pidFolder,
  })
  const report = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : undefined
  return countTests(report, exitCode)
}
