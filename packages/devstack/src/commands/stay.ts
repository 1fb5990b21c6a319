import { dim } from '../logs.ts'
import { seconds } from '../progress.ts'
import type { Stack } from '../stack.ts'

/** Starts, stays in the foreground, and stops everything that was started, whatever happens meanwhile. */
export async function stayUntilStopped(
  stack: Stack,
  onShutdown: (stop: (reason: string) => Promise<void>) => void,
  start: () => Promise<void>,
): Promise<number> {
  let told: (reason: string) => void = () => undefined
  const asked = new Promise<string>((resolve) => {
    told = resolve
  })
  onShutdown(async (reason) => told(reason))
  let failure: unknown
  const started = start().catch((error: unknown) => {
    failure = error
    told('failure')
  })
  const keepAlive = setInterval(() => undefined, 60_000)
  const reason = await asked
  clearInterval(keepAlive)
  if (reason !== 'failure') console.log(dim(`\nStopping (${reason}) ...`))
  const began = Date.now()
  await stack.supervisor.close()
  await started
  await stack.supervisor.close()
  if (failure && reason === 'failure') throw failure
  console.log(dim(`Everything is stopped, ${seconds(began)}.`))
  return 0
}
