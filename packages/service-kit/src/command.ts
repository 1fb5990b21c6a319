import { basename } from 'node:path'
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { ConfigError } from './config.ts'

/** Exit codes of every command: 0 done, 1 failed, 2 wrong use. */
const FAILED = 1
const WRONG_USE = 2

/** A user error on the command line, explained in one sentence without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: number

  constructor(message: string, exitCode: typeof FAILED | typeof WRONG_USE = FAILED) {
    super(message)
    this.exitCode = exitCode
  }
}

interface CommandArguments {
  readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>
  readonly positionals: readonly string[]
}

export interface Command {
  /** What `--help` prints. */
  readonly usage: string
  /** Besides `--help`. */
  readonly options?: ParseArgsOptionsConfig
  /** At most so many arguments that are no options; default none. */
  readonly maxPositionals?: number
  /** The exit code, 0 when nothing is returned. */
  run(args: CommandArguments): Promise<number | undefined>
}

/**
 * Runs a command and sets the exit code. `--help` prints the usage and never acts; an option or argument that the
 * command does not know is refused before it acts.
 */
export async function runCommand(command: Command, argv = process.argv.slice(2)): Promise<void> {
  try {
    const args = readArguments(command, argv)
    if (args.values.help) {
      process.stdout.write(`${command.usage.trim()}\n`)
      return
    }
    process.exitCode = (await command.run(args)) ?? 0
  } catch (error) {
    const isExplained = error instanceof CommandError || error instanceof ConfigError
    process.stderr.write(`${isExplained ? error.message : (error as Error).stack}\n`)
    process.exitCode = error instanceof CommandError ? error.exitCode : FAILED
  }
}

function readArguments({ options = {}, maxPositionals = 0 }: Command, argv: string[]): CommandArguments {
  const args = parseStrictly(options, argv)
  const surplus = args.positionals[maxPositionals]
  if (!args.values.help && surplus !== undefined) throw wrongUse(`Unexpected argument "${surplus}".`)
  return args
}

function parseStrictly(options: ParseArgsOptionsConfig, argv: string[]): CommandArguments {
  try {
    return parseArgs({
      args: argv,
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    })
  } catch (error) {
    throw wrongUse((error as Error).message)
  }
}

function wrongUse(message: string): CommandError {
  const name = basename(process.argv[1] ?? 'command')
  return new CommandError(`${name}: ${message} See --help.`, WRONG_USE)
}

/**
 * Returns the arguments of a program that takes no options, at most `max`. Prints the usage and ends the process on
 * `--help`; ends it with 2 on anything that the program does not know.
 */
export function readPositionals(usage: string, max = 0, argv = process.argv.slice(2)): readonly string[] {
  try {
    const { values, positionals } = readArguments({ usage, maxPositionals: max, run: async () => 0 }, argv)
    if (!values.help) return positionals
    process.stdout.write(`${usage.trim()}\n`)
    process.exit(0)
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exit(WRONG_USE)
  }
}
