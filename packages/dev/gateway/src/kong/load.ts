import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { z } from 'zod'
import { type KongDocument, type KongPlugin, kongDocument } from './schema.ts'

/** An unreadable kong.yml, or one with unsupported content. */
export class KongConfigError extends Error {
  override readonly name = 'KongConfigError'
}

/** Loads kong.yml. @throws KongConfigError naming an unsupported key */
export function loadKongFile(file: string): KongDocument {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new KongConfigError(`${file} cannot be read (KONG_CONFIG): ${(error as Error).message}`)
  }
  return parseKong(text, file)
}

/** Parses kong.yml. @throws KongConfigError naming an unsupported key */
export function parseKong(text: string, file = 'kong.yml'): KongDocument {
  let document: unknown
  try {
    document = parse(text)
  } catch (error) {
    throw new KongConfigError(`${file} is not YAML: ${(error as Error).message}`)
  }
  const result = kongDocument.safeParse(document)
  if (!result.success) {
    const lines = result.error.issues.map((issue) => `  ${explain(issue, document)}`)
    throw new KongConfigError(
      `${file} contains keys that this gateway does not support:\n${lines.join('\n')}`,
    )
  }
  assertUnique(result.data, file)
  return result.data
}

/** Returns the plug-in of that name, with its type. */
export function pluginOf<Name extends KongPlugin['name']>(
  document: KongDocument,
  name: Name,
): Extract<KongPlugin, { name: Name }> {
  const plugin = document.plugins.find((candidate) => candidate.name === name)
  if (!plugin) throw new KongConfigError(`kong.yml lacks the plug-in ${name}`)
  return plugin as Extract<KongPlugin, { name: Name }>
}

function explain(issue: z.core.$ZodIssue, document: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${keyPath([...issue.path, key])}: unknown key`).join('\n  ')
  }
  if (issue.code === 'invalid_union') {
    const value = issue.path.reduce<unknown>(
      (at, key) => (at as Record<PropertyKey, unknown>)?.[key],
      document,
    )
    return `${keyPath(issue.path)}: unknown plug-in ${JSON.stringify(value)}`
  }
  return `${keyPath(issue.path)}: ${issue.message}`
}

function keyPath(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')
}

function assertUnique(document: KongDocument, file: string): void {
  const names = [
    ...document.services.map((service) => `service ${service.name}`),
    ...document.services.flatMap((service) => service.routes.map((route) => `route ${route.name}`)),
    ...document.routes.map((route) => `route ${route.name}`),
    ...document.plugins.map((plugin) => `plug-in ${plugin.name}`),
  ]
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice) throw new KongConfigError(`${file} has ${twice} twice`)
}
