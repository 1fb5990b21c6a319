import { userRoles } from '@bigtech/contracts'
import { CommandError, type UserOperations } from '@bigtech/service-kit'
import type { Command } from 'commander'
import { type CommandContext, dryRunNote } from '../output.ts'
import { requireService, withService } from '../services.ts'

interface EraseOptions {
  readonly messages: string
  readonly apply?: boolean
}

interface ReplayOptions {
  readonly snapshot?: boolean
  readonly apply?: boolean
}

/** Adds the commands `users sessions|revoke|role|replay|export|erase`; they run on the host of user-service. */
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
    .command('role <email-or-username> [role]')
    .description(`show or grant a role (${userRoles.join(', ')}); a change ends the user's sessions`)
    .option('--apply', 'do it')
    .action(
      async (identifier: string, wanted: string | undefined, { apply = false }: { apply?: boolean }) => {
        const role = userRoles.find((each) => each === wanted)
        if (wanted !== undefined && role === undefined)
          throw new CommandError(`A role is one of ${userRoles.join(', ')}, not "${wanted}".`, 2)
        await withUsers(async (operations) => {
          const before = await operations.role(identifier)
          if (!before) throw new CommandError(`There is no active account "${identifier}".`)
          const { username } = before
          const changes = role !== undefined && role !== before.role
          if (!changes) return output.print([`${username}: ${before.role}`], { ...before, applied: false })
          if (apply) await operations.setRole(identifier, role)
          const lines = apply
            ? [`${username}: ${role} (was ${before.role}); counts from the next sign-in on`]
            : [`${username}: ${before.role}, would become ${role}`, dryRunNote]
          output.print(lines, { username, role, was: before.role, applied: apply })
        })
      },
    )
  users
    .command('replay [user-id]')
    .description('compare accounts with what their events lead to, and rebuild those that differ')
    .option('--snapshot', 'take the accounts as right, and their history as what is missing something')
    .option('--apply', 'do it')
    .action(async (id: string | undefined, { snapshot = false, apply = false }: ReplayOptions) => {
      const repair = snapshot ? 'snapshot' : 'rebuild'
      const options = { userId: id === undefined ? id : userId(id), repair: apply ? repair : 'none' } as const
      const findings = await withUsers((operations) => operations.replay(options))
      const lines = findings.map(
        ({ subject, detail, isFixed }) => `${subject}: ${detail}${isFixed ? ' (repaired)' : ''}`,
      )
      const note = apply || findings.length === 0 ? [] : [dryRunNote]
      output.print([...lines, `${findings.length} accounts differ from their history`, ...note], findings)
      if (findings.some(({ isFixed }) => !isFixed)) exit(1)
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
