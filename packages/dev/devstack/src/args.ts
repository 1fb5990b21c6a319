import { UserError } from './problems.ts'
import { services } from './services.ts'

const commands = ['start', 'test', 'lint', 'servers', 'status', 'logs', 'env', 'run', 'help'] as const

export interface Args {
  command: (typeof commands)[number]
  instance: string
  reset: boolean
  /** Undefined: Docker if available, else the servers of this machine. */
  docker: boolean | undefined
  onlyServers: boolean
  observability: boolean
  /** Restarts a service when its sources change. */
  watch: boolean
  /** Shows every log line of the services, not only warnings and errors. */
  verbose: boolean
  /** Services to omit, for running them by hand. */
  without: string[]
  help: boolean
  /** Positional arguments, for example test filters. */
  rest: string[]
}

function valueAfter(argv: readonly string[], index: number, option: string): string {
  const value = argv[index + 1]
  if (value === undefined || value.startsWith('--'))
    throw new UserError(`${option} needs a value, see --help.`)
  return value
}

function isCommand(text: string | undefined): text is Args['command'] {
  return (commands as readonly string[]).includes(text ?? '')
}

/**
 * Parses the command line and rejects unknown arguments. Not `parseArgs` of node:util: `test` forwards
 * vitest's options and `run` everything after the file, and its lenient mode accepts `--reset=false` as a
 * set option.
 */
export function parseArgs(argv: readonly string[]): Args {
  const [first, ...tail] = argv
  const command = first === undefined || first === '--help' || first === '-h' ? 'help' : first
  if (!isCommand(command)) throw new UserError(`Unknown command "${command}", see --help.`)
  const args: Args = {
    command,
    instance: command === 'test' ? 'test' : 'dev',
    reset: false,
    docker: undefined,
    onlyServers: command === 'servers',
    observability: false,
    watch: false,
    verbose: false,
    without: [],
    help: command === 'help',
    rest: [],
  }
  for (let index = 0; index < tail.length; index++) {
    const option = tail[index] as string
    // Arguments after the file belong to it.
    if (command === 'run' && args.rest.length > 0) args.rest.push(option)
    else if (option === '--') continue
    else if (option === '--reset') args.reset = true
    else if (option === '--docker') args.docker = true
    else if (option === '--no-docker') args.docker = false
    else if (option === '--observability') args.observability = true
    else if (option === '--watch') args.watch = true
    else if (option === '--verbose') args.verbose = true
    else if (option === '--help' || option === '-h') args.help = true
    else if (option === '--instance') args.instance = instanceName(valueAfter(tail, index++, option))
    else if (option === '--without') args.without.push(serviceName(valueAfter(tail, index++, option)))
    else if (option === '--only') {
      if (valueAfter(tail, index++, option) !== 'servers')
        throw new UserError('--only knows "servers", see --help.')
      args.onlyServers = true
    } else if (option.startsWith('-') && command !== 'test')
      throw new UserError(`Unknown option "${option}", see --help.`)
    else args.rest.push(option)
  }
  return args
}

function serviceName(name: string): string {
  const names = services.map((service) => service.name)
  if (!names.includes(name)) throw new UserError(`There is no service "${name}": ${names.join(', ')}.`)
  return name
}

function instanceName(name: string): string {
  if (!/^[a-z][a-z0-9-]{0,20}$/.test(name)) {
    throw new UserError(
      'An instance name may contain lower-case letters, digits and "-", at most 21 characters.',
    )
  }
  return name
}
