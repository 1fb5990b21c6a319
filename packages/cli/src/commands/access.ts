import { type AccessDifference, ensureAccess } from '@bigtech/kafka'
import type { Command } from 'commander'
import { withKafka } from '../kafka-session.ts'
import { type CommandContext, dryRunNote } from '../output.ts'

/** Adds the `access` command. */
export function addAccessCommand(program: Command, { output, exit }: CommandContext): void {
  program
    .command('access')
    .description('compare the Kafka permissions of each service account with the contracts')
    .option('--apply', 'add missing permissions and remove surplus ones')
    .addHelpText(
      'after',
      '\nRequires an account that may change access rules: KAFKA_USERNAME, KAFKA_PASSWORD.',
    )
    .action(async ({ apply = false }: { apply?: boolean }) => {
      const differences = await withKafka(({ kafka }) => ensureAccess(kafka, !apply))
      output.print(
        [
          ...differences.map((each) => `${line(each)}${apply ? ' (repaired)' : ''}`),
          `${differences.length} differences, ${apply ? 0 : differences.length} left`,
          ...(differences.length > 0 && !apply ? [dryRunNote] : []),
        ],
        { differences, applied: apply },
      )
      exit(apply || differences.length === 0 ? 0 : 1)
    })
}

function line({ rule, what }: AccessDifference): string {
  const { account, operation, resource, name, isPrefix } = rule
  return `${account}: ${operation} ${resource} ${name}${isPrefix ? '*' : ''} ${what}`
}
