import { basename } from 'node:path'
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { ConfigError } from './config.ts'

/** Exit codes of every command: 0 done, 1 failed, 2 usage error. */
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
  /** The output of `--help`. */
  readonly usage: string
  /** Options besides `--help`. */
  readonly options?: ParseArgsOptionsConfig
  /** Maximum number of positional arguments; default none. */
  readonly maxPositionals?: number
  /** Returns the exit code; 0 when undefined. */
  run(args: CommandArguments): Promise<number | undefined>
}

/**
 * Runs a command and sets the exit code. `--help` only prints the usage; an unknown option or argument is
 * rejected before the command runs.
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
 * Returns the arguments of a program without options, at most `max`. Prints the usage and exits on `--help`;
 * exits with 2 on unknown options and surplus arguments.
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
