// Plain JavaScript, because bootstrap.mjs prints it before anything is installed.
export const usage = `Usage: npm start -- [options]      run everything and stay in the foreground
       npm run dev                 the same; a service starts again when its sources are saved
       npm run logs -- NAME        the log of a service or a server, and what comes
       npm run status              what is running, with addresses
       npm test -- [filters]       every check and test, on ports of its own
       npm run lint                the checks alone

Options of start:
  --reset            empty this instance's data first
  --docker           servers through docker compose; --no-docker: never
  --only servers     only the servers, no service
  --without NAME     leave a service out, to run it by hand ("env NAME" prints its settings)
  --verbose          every line of the services' logs, not only warnings and errors
  --observability    Prometheus and Alertmanager too
  --instance NAME    another copy beside this one (own data, ports from DEVSTACK_PORT_OFFSET)
  --help             this text

More commands (node packages/dev/devstack/bootstrap.mjs <command>):
  servers            the servers alone, for development and integration tests
  env [NAME]         the addresses, or all settings of one service, as shell exports; and Node 24 in PATH
  run FILE           a program with the addresses of the running system (npm run load, npm run chaos)

Ports:  DEVSTACK_MYSQL_PORT, _REDIS_PORT, _MONGO_PORT, _KAFKA_PORT, _SMTP_PORT, _MAILBOX_PORT, _GATEWAY_PORT, _USER_PORT,
        _FRIEND_PORT, _CHAT_PORT, _NOTIFICATION_PORT, _ANALYTICS_PORT, or DEVSTACK_PORT_OFFSET for all of them
Folders: DEVSTACK_CACHE (what was fetched), DEVSTACK_DATA (data, logs, keys)
`

const options = [
  '--reset',
  '--docker',
  '--no-docker',
  '--only',
  '--without',
  '--observability',
  '--watch',
  '--verbose',
  '--instance',
  '--help',
  '-h',
  '--',
]

/** Returns the first unknown option; arguments after the file of `run` and filters of `test` are not checked. */
export function unknownOption([command, ...rest]) {
  if (command === 'test') return undefined
  const file = command === 'run' ? rest.findIndex((arg) => !arg.startsWith('-')) : -1
  return [command ?? '', ...(file < 0 ? rest : rest.slice(0, file))].find(
    (arg) => arg.startsWith('-') && !options.includes(arg),
  )
}

export function asksForHelp(args) {
  const [command, ...rest] = args
  const file = command === 'run' ? rest.findIndex((arg) => !arg.startsWith('-')) : -1
  const own = file < 0 ? args : args.slice(0, file + 1)
  return own.length === 0 || own.includes('--help') || own.includes('-h')
}
