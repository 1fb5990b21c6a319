import { existsSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { root } from '../paths.ts'
import { runVisible } from '../run.ts'
import type { Count } from './lint.ts'

/** The parts of vitest's JSON report that the counts and the list of failures need. */
export interface Report {
  numPassedTests: number
  testResults: ReportedFile[]
}

interface ReportedFile {
  name: string
  status: string
  /** The error of a file that failed to load. */
  message: string
  assertionResults: Array<{ status: string; fullName: string; failureMessages?: string[] | null }>
}

/**
 * Counts passed and failed tests and names the failed ones. Also counts as a failure: a file that failed to
 * load or set up (its tests are reported as skipped), and an error outside any test.
 */
export function countTests(report: Report | undefined, exitCode: number): Count {
  if (!report) return { passed: 0, failed: 1, failures: ['vitest ended without a report'] }
  const failures = report.testResults.flatMap(failuresOf)
  if (failures.length === 0 && exitCode !== 0) failures.push('an error outside any test')
  return { passed: report.numPassedTests, failed: failures.length, failures }
}

/** Returns one entry for each failed test: the file and the full title, then the first line of the error. */
function failuresOf({ name, status, message, assertionResults }: ReportedFile): string[] {
  const file = relative(root, name)
  const failed = assertionResults.filter((test) => test.status === 'failed')
  if (failed.length === 0) {
    return status === 'failed' ? [entry(`${file} (failed to load or set up)`, message)] : []
  }
  return failed.map((test) => entry(`${file} > ${test.fullName}`, test.failureMessages?.[0]))
}

function entry(title: string, error: string | undefined): string {
  const line = error?.split('\n').find((part) => part.trim())
  return line ? `${title}\n  ${stripVTControlCharacters(line).trim()}` : title
}

export interface VitestRun {
  projects: readonly string[]
  filters: readonly string[]
  env: Record<string, string>
  /** Directory for the report. */
  folder: string
  pidFolder: string
}

/**
 * Returns the variable by which the workers, and the programs that tests start, keep compiled code: it halves the CPU time of
 * loading a service. Not with coverage: V8 counts functions from the cache imprecisely.
 */
function compileCache(options: readonly string[]): Record<string, string> {
  if (options.some((option) => option.startsWith('--coverage'))) return {}
  return { NODE_COMPILE_CACHE: join(tmpdir(), 'bigtech-compile-cache') }
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
    env: { ...compileCache(options.filters), ...process.env, ...options.env },
    pidFolder: options.pidFolder,
  })
  const report = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : undefined
  return countTests(report, exitCode)
}
