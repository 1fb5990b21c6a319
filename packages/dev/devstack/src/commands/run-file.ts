import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Args } from '../args.ts'
import { openInstance } from '../instance.ts'
import { UserError } from '../problems.ts'
import { serversFile } from '../stack.ts'
import { testEnvironment } from './test.ts'

/** Runs a program of this checkout with the addresses of a running instance: benchmarks, chaos. */
export async function runFile(args: Args): Promise<number> {
  const [file, ...rest] = args.rest
  if (!file) throw new UserError('Pass the file to run: run FILE [arguments].')
  const instance = openInstance(args.instance)
  const addresses = testEnvironment(instance)
  await fetch(`${addresses.BIGTECH_GATEWAY_URL}/health`, { signal: AbortSignal.timeout(2_000) }).catch(() => {
    throw new UserError('This requires the running system: start it with `npm start` in another terminal.')
  })
  const child = spawn(process.execPath, [file, ...rest], {
    cwd: instance.root,
    stdio: 'inherit',
    env: {
      ...process.env,
      BIGTECH_INSTANCE: instance.name,
      BIGTECH_SERVERS_FILE: serversFile(instance),
      ...addresses,
    },
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}
