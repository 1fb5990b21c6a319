import { dim, red } from './logs.ts'
import { messageOf } from './problems.ts'
import { seconds } from './progress.ts'
import { abortRunning } from './run.ts'
import { onShutdown } from './shutdown.ts'
import type { Stack } from './stack.ts'

/** Resolves with the reason when the process is asked to stop. */
export type Interrupted = Promise<string>

/**
 * Runs work with a stack and always stops everything that was started. Waiting work returns when
 * interrupted; other work fails soon, because the processes it uses are stopped.
 */
export async function guarded(
  stack: Stack,
  work: (interrupted: Interrupted) => Promise<number>,
): Promise<number> {
  const interrupted = interruption()
  const done = work(interrupted).then(
    (code) => ({ code }),
    (error: unknown) => ({ error }),
  )
  const outcome = await Promise.race([done, interrupted.then((reason) => ({ reason }))])
  const began = Date.now()
  if ('reason' in outcome) console.log(dim(`\nStopping (${outcome.reason}) ...`))
  abortRunning()
  await stack.supervisor.close()
  const end = await done
  // Also stops processes that were being started during the interruption.
  await stack.supervisor.close()
  if ('reason' in outcome) {
    console.log(dim(`Everything is stopped, ${seconds(began)}.`))
    return 'code' in end ? end.code : 130
  }
  if ('error' in outcome) throw outcome.error
  return outcome.code
}

function interruption(): Interrupted {
  return new Promise((resolve) => {
    onShutdown(async (reason) => resolve(reason))
    process.on('uncaughtException', (error) => {
      console.error(red(error.stack ?? messageOf(error)))
      resolve('an error in devstack')
    })
  })
}
