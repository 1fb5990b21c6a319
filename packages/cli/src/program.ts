import { CommandError, ConfigError } from '@bigtech/service-kit'
import { Command, CommanderError } from 'commander'
import { addAccessCommand } from './commands/access.ts'
import { addConsumerCommands } from './commands/consumers.ts'
import { addCopyCommands } from './commands/copies.ts'
import { addDeadLetterCommands } from './commands/dead-letters.ts'
import { addKeyCommands } from './commands/keys.ts'
import { addOutboxCommands } from './commands/outbox.ts'
import { addTopicsCommand } from './commands/topics.ts'
import { addUserCommands } from './commands/users.ts'
import { type CommandContext, createOutput } from './output.ts'

const WRONG_USE = 2

/**
 * Runs one command line; returns its exit code: 0 done, 1 failed or differences found, 2 usage error.
 *
 * @param write receives standard output; errors go to standard error
 */
export async function runProgram(
  argv: readonly string[],
  write: (text: string) => void = (text) => void process.stdout.write(text),
): Promise<number> {
  let exitCode: number = 0
  const program = new Command('bigtech')
  const output = createOutput(write, () => program.opts().json === true)
  program
    .description('Administers BigTech Chat. Commands that change something are dry runs without --apply.')
    .option('--json', 'print one JSON document')
    .helpCommand(false)
    .showHelpAfterError('See --help.')
    .exitOverride()
    .configureOutput({ writeOut: write })
    .addHelpText(
      'after',
      '\nEnvironment: the variables of the services (docs/configuration.md). In a checkout without KAFKA_BROKERS: those of the running `npm start`.' +
        '\nExit code: 0 done or no differences; 1 failed or differences found; 2 usage error',
    )
  const context: CommandContext = { output, exit: (code) => (exitCode = code) }
  for (const add of [
    addDeadLetterCommands,
    addOutboxCommands,
    addConsumerCommands,
    addTopicsCommand,
    addAccessCommand,
    addCopyCommands,
    addUserCommands,
    addKeyCommands,
  ]) {
    add(program, context)
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    return explain(error)
  }
}

function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USE
  process.stderr.write(`${(error as Error).message}\n`)
  if (error instanceof CommandError) return error.exitCode
  if (!(error instanceof ConfigError) && process.env.DEBUG)
    process.stderr.write(`${(error as Error).stack}\n`)
  return 1
}
