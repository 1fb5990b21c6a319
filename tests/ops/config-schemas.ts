import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './files.ts'

/** The used part of a zod schema. */
interface Schema {
  safeParse(
    value: unknown,
  ):
    | { success: true }
    | { success: false; error: { issues: Array<{ path: PropertyKey[]; message: string }> } }
}

async function schemaOf(service: string): Promise<Schema> {
  const file = pathToFileURL(join(root, 'services', service, 'src/config.ts')).href
  return ((await import(file)) as { configSchema: Schema }).configSchema
}

/** Returns a service's complaints about an environment; an empty variable counts as unset, as in service-kit. */
export async function complaints(
  service: string,
  environment: Record<string, string | null>,
): Promise<unknown> {
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value))
  const result = (await schemaOf(service)).safeParse(set)
  return result.success ? [] : result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
}
