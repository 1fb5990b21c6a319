import { type Args, parseArgs, usage } from './args.ts'
import { servers } from './commands/servers.ts'
import { dim, red } from './logs.ts'
import { explain } from './problems.ts'

type Command = (args: Args) => Promise<number>

const commands: Partial<Record<Args['command'], Command>> = {
  servers,
}

async function main(argv: readonly string[]): Promise<number> {
  const args = parseArgs(argv)
  const command = commands[args.command]
  if (args.help || !command) {
    console.log(usage)
    return 0
  }
  return command(args)
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
