import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { generateAll } from '../generated.ts'
import { red } from '../logs.ts'
import { root } from '../paths.ts'
import { messageOf } from '../problems.ts'
import { notice, step } from '../progress.ts'
import { run } from '../run.ts'
import { type Check, checks } from './checks.ts'

export interface Count {
  passed: number
  failed: number
  /** One entry for each failure: its name, then indented lines. */
  failures: string[]
}

/** Runs every check, one per core, regardless of failures, and prints the output of failed ones. */
export async function runChecks(): Promise<Count> {
  const count: Count = { passed: 0, failed: 0, failures: [] }
  const waiting = [...checks]
  const runNext = async (): Promise<void> => {
    const check = waiting.shift()
    if (!check) return
    if (check.needs && !existsSync(join(root, check.needs))) {
      notice(`${check.name}: skipped, there is no ${check.needs}`)
    } else if (await isPassed(check)) count.passed += 1
    else {
      count.failed += 1
      count.failures.push(`check: ${check.name}`)
    }
    await runNext()
  }
  await Promise.all(Array.from({ length: availableParallelism() }, runNext))
  return count
}

async function isPassed(check: Check): Promise<boolean> {
  const [command, ...args] = check.command
  try {
    await step(check.name, () => run(command, args, { cwd: root, tailLines: 60 }))
    return true
  } catch (error) {
    console.log(red(messageOf(error)))
    return false
  }
}

export async function lint(): Promise<number> {
  await generateAll(root)
  const { passed, failed } = await runChecks()
  console.log(`\n${passed} passed, ${failed} failed`)
  return failed === 0 && passed > 0 ? 0 : 1
}
