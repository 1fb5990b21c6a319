import type { Args } from '../args.ts'
import { openInstance } from '../instance.ts'
import { readPids } from '../pids.ts'

/** Prints what of this instance is running and where, also when the command that started it was killed. */
export async function status(args: Args): Promise<number> {
  const instance = openInstance(args.instance)
  const running = readPids(instance.pidFolder).filter((entry) => entry.running)
  if (running.length === 0) console.log(`Nothing of the instance "${instance.name}" is running.`)
  for (const { record } of running) {
    const port = record.port === undefined ? '' : `127.0.0.1:${record.port}`
    console.log(`${record.name.padEnd(24)} process ${String(record.pid).padEnd(9)} ${port}`.trimEnd())
  }
  return 0
}
