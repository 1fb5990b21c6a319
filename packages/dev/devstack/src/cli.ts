import { usage } from '../usage.mjs'
import { type Args, parseArgs } from './args.ts'
import { env } from './commands/env.ts'
import { lint } from './commands/lint.ts'
import { logs } from './commands/logs.ts'
import { runFile } from './commands/run-file.ts'
import { servers } from './commands/servers.ts'
import { start } from './commands/start.ts'
import { status } from './commands/status.ts'
import { test } from './commands/test.ts'
import { dim, red } from './logs.ts'
import { explain } from './problems.ts'

type Command = (args: Args) => Promise<number>

const commands: Record<Exclude<Args['command'], 'help'>, Command> = {
  start,
  test,
  lint,
  servers,
  status,
  logs,
  env,
  run: runFile,
}

async function main(argv: readonly string[]): Promise<number> {
  const args = parseArgs(argv)
  if (args.help || args.command === 'help') {
    console.log(usage)
    return 0
  }
  return commands[args.command](args)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const { sentence, detail } = explain(error)
  console.error(`\n${red(sentence)}`)
  if (detail && detail !== sentence) console.error(dim(detail))
  process.exitCode = 1
}
process.exit()
