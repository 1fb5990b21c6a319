import { userRoles } from '@bigtech/contracts'
import { createOutbox } from '@bigtech/outbox'
import { CommandError, loadConfig, runCommand } from '@bigtech/service-kit'
import { Registry } from 'prom-client'
import { configSchema } from './config.ts'
import { createMysql } from './infrastructure/mysql.ts'
import { setRole } from './modules/session/roles.ts'

const usage = `Usage: node src/set-role.ts <email or username> user|moderator|operator
Gives a user a role. A moderator handles reports; an operator may also list users. Ends the user's sessions: the role
counts from the next sign-in on.

Environment: DATABASE_URL
Exit code: 0 the user has the role; 1 there is no such account; 2 wrong use.`

await runCommand({
  usage,
  maxPositionals: 2,
  run: async ({ positionals: [identifier, wanted] }) => {
    const role = userRoles.find((each) => each === wanted)
    if (!identifier || !role)
      throw new CommandError(`Pass an account and a role (${userRoles.join(', ')}). See --help.`, 2)
    const { DATABASE_URL } = loadConfig(configSchema.pick({ DATABASE_URL: true }))
    const mysql = createMysql(DATABASE_URL, new Registry(), 2)
    try {
      const change = await setRole(mysql, createOutbox('user-service'), identifier, role)
      if (!change) throw new CommandError(`There is no active account "${identifier}".`)
      const { username, from, endedSessions } = change
      const said = from === role ? 'already has that role' : `was ${from}; sessions ended: ${endedSessions}`
      process.stdout.write(`${username}: ${role} (${said})\n`)
      return 0
    } finally {
      await mysql.close()
    }
  },
})
