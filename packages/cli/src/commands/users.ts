import { CommandError, type UserOperations } from '@bigtech/service-kit'
import type { Command } from 'commander'
import { type CommandContext, dryRunNote } from '../output.ts'
import { requireService, withService } from '../services.ts'

interface EraseOptions {
  readonly messages: string
  readonly apply?: boolean
}

/** Adds the commands `users sessions|revoke|export|erase`; they run on the host of user-service. */
export function addUserCommands(program: Command, { output, exit }: CommandContext): void {
  const users = program.command('users').description('manage accounts; requires user-service on this host')
  users
    .command('sessions <user-id>')
    .description('list the sessions of a user')
    .action(async (id: string) => {
      const sessions = await withUsers((operations) => operations.sessions(userId(id)))
      output.print(
        [...sessions.map((session) => Object.values(session).join('  ')), `${sessions.length} sessions`],
        sessions,
      )
    })
  users
    .command('revoke <user-id>')
    .description('end all sessions of a user, or one of them')
    .option('--session <id>', 'only this session')
    .option('--apply', 'perform the change')
    .action(async (id: string, { session, apply = false }: { session?: string; apply?: boolean }) => {
      const ended = await withUsers(async (operations) => {
        if (apply) return operations.revoke(userId(id), session)
        const open = await operations.sessions(userId(id))
        return open.filter((each) => session === undefined || each.id === session).length
      })
      const what = `${ended} sessions ${apply ? 'ended' : 'would end'}`
      output.print([what, ...(apply ? [] : [dryRunNote])], { sessions: ended, applied: apply })
      if (session !== undefined && ended === 0) exit(1)
    })
  users
    .command('export <user-id>')
    .description('print all data that the services store about a user, as JSON')
    .action((id: string) =>
      withUsers(async (operations) => {
        for await (const part of operations.exportData(userId(id))) process.stdout.write(part)
        process.stdout.write('\n')
      }),
    )
  users
    .command('erase <user-id>')
    .description('delete an account in all services; irreversible')
    .option('--messages <keep|remove>', 'keep or remove the messages', 'keep')
    .option('--apply', 'perform the change')
    .action(async (id: string, { messages, apply = false }: EraseOptions) => {
      if (messages !== 'keep' && messages !== 'remove')
        throw new CommandError(`--messages must be keep or remove, not "${messages}".`, 2)
      if (!apply) {
        output.print([`Would delete account ${userId(id)}.`, dryRunNote], { applied: false })
        return
      }
      const deletionId = await withUsers((operations) => operations.erase(userId(id), messages))
      output.print([`Deletion ${deletionId} of account ${id} has begun.`], {
        deletion_id: deletionId,
        applied: true,
      })
    })
}

function withUsers<Result>(work: (operations: UserOperations) => Promise<Result>): Promise<Result> {
  return withService(requireService('user-service'), ({ users }) => {
    if (!users) throw new Error('user-service offers no operations on users')
    return work(users)
  })
}

function userId(text: string): number {
  const id = Number(text)
  if (!Number.isSafeInteger(id) || id < 1) throw new CommandError(`"${text}" is not a user id.`, 2)
  return id
}
