import { delimiter, dirname, join } from 'node:path'
import type { Args } from '../args.ts'
import { serviceEnvironment } from '../environment.ts'
import { openInstance, passwordsOf } from '../instance.ts'
import { UserError } from '../problems.ts'
import { services } from '../services.ts'
import { serversFile } from '../stack.ts'
import { testEnvironment } from './test.ts'

/**
 * Prints shell exports: the addresses for tests, or for a named service its complete environment. The
 * workspace's Node and programs come first in PATH, because the machine's Node may not support TypeScript.
 */
export async function env(args: Args): Promise<number> {
  const instance = openInstance(args.instance)
  const name = args.rest[0]
  const service = services.find((row) => row.name === name)
  if (name && !service)
    throw new UserError(`There is no service "${name}": ${services.map((row) => row.name).join(', ')}.`)
  const variables = service
    ? serviceEnvironment(service, instance, passwordsOf(instance))
    : { BIGTECH_SERVERS_FILE: serversFile(instance), ...testEnvironment(instance) }
  for (const [key, value] of Object.entries(variables)) console.log(`export ${key}=${quoted(value)}`)
  const programs = [dirname(process.execPath), join(instance.root, 'node_modules', '.bin')]
  console.log(`export PATH=${quoted(programs.join(delimiter))}${delimiter}"$PATH"`)
  return 0
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`
}
