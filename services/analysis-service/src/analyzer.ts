import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ChildOutcome, ChildTask } from './child.ts'

const ANALYSIS_MS = 40_000
const HEAP_MEGABYTES = 256
const MAX_OUTPUT_BYTES = 2 ** 20
const child = fileURLToPath(new URL('./child.ts', import.meta.url))
const run = promisify(execFile)

/** Analyzes in a child process, so that this process stays responsive. Never throws. */
export async function analyze(task: ChildTask, signal: AbortSignal): Promise<ChildOutcome> {
  try {
    const args = [`--max-old-space-size=${HEAP_MEGABYTES}`, child, JSON.stringify(task)]
    const { stdout } = await run(process.execPath, args, {
      timeout: ANALYSIS_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
      env: {},
      signal,
    })
    return JSON.parse(stdout) as ChildOutcome
  } catch {
    const detail = 'The analysis ended without a result.'
    return { status: 'failed', error: { code: 'ANALYSIS_FAILED', detail, retryable: true } }
  }
}
