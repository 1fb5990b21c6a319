import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  CommandError,
  type Environment,
  type OpenOperations,
  type ServiceOperations,
} from '@bigtech/service-kit'

const root = join(import.meta.dirname, '..', '..', '..')

/** Returns the services whose code is present: all of them in a checkout, one in an image. */
export function presentServices(): string[] {
  const folder = join(root, 'services')
  return readdirSync(folder).filter((name) => existsSync(operationsFile(name)))
}

/** Opens a service's operations, passes them to `work`, and closes them. */
export async function withService<Result>(
  name: string,
  work: (operations: ServiceOperations, env: Environment) => Promise<Result>,
): Promise<Result> {
  const env = await environmentOf(name)
  const { openOperations } = (await import(pathToFileURL(operationsFile(name)).href)) as {
    openOperations: OpenOperations
  }
  const operations = await openOperations(env)
  try {
    return await work(operations, env)
  } finally {
    await operations.close()
  }
}

/** @param wanted the requested services; all present services when empty */
export function chooseServices(wanted: readonly string[]): string[] {
  const present = presentServices()
  const unknown = wanted.find((name) => !present.includes(name))
  if (unknown !== undefined)
    throw new CommandError(`The service "${unknown}" is not present. Present: ${present.join(', ')}.`, 2)
  return wanted.length > 0 ? [...wanted] : present
}

/** Like `chooseServices`, for an operation of exactly one service. */
export function requireService(name: string): string {
  const [service] = chooseServices([name])
  return service as string
}

function operationsFile(service: string): string {
  return join(root, 'services', service, 'src', 'operations.ts')
}

/**
 * Returns the variables of a service: the process's own in an image or where KAFKA_BROKERS is set, otherwise
 * those of the running `npm start`.
 */
export async function environmentOf(service: string): Promise<Environment> {
  const devstack = join(root, 'packages', 'dev', 'devstack', 'src', 'environment.ts')
  if (process.env.KAFKA_BROKERS || !existsSync(devstack)) return process.env
  const { environmentOfService } = (await import(pathToFileURL(devstack).href)) as {
    environmentOfService(name: string, instance: string): Environment
  }
  return { ...process.env, ...environmentOfService(service, process.env.BIGTECH_INSTANCE ?? 'dev') }
}
