import type { Args } from '../args.ts'
import { openInstance } from '../instance.ts'
import { readPids } from '../pids.ts'

/** Prints the running processes of this instance and their addresses, even if the starting command was killed. */
export async function status(args: Args): Promise<number> {
  const instance = openInstance(args.instance)
  const running = readPids(instance.pidFolder).filter((entry) => entry.running)
  if (running.length === 0) console.log(`The instance "${instance.name}" is not running.`)
  for (const { record } of running) {
    const address = record.port === undefined ? '' : addressOf(record.name, record.port)
    console.log(`${record.name.padEnd(24)} process ${String(record.pid).padEnd(9)} ${address}`.trimEnd())
  }
  return 0
}

const pages: Record<string, string> = {
  gateway: '/',
  mailbox: '/',
  prometheus: '/',
  alertmanager: '/',
}

/** Returns a page's URL if the process has one, else host and port. */
function addressOf(name: string, port: number): string {
  const page = pages[name] ?? (name.split('#')[0]?.endsWith('-service') ? '/docs' : undefined)
  return page ? `http://localhost:${port}${page}` : `127.0.0.1:${port}`
}
