import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'

/** The checkout. */
export const root = join(import.meta.dirname, '..', '..')

export const serviceNames = [
  'user-service',
  'friend-service',
  'chat-service',
  'notification-service',
  'analytics-service',
  'media-service',
] as const

/** Returns the Compose name of a service. */
export const composeName = (service: string): string => (service === 'media-service' ? 'web' : service)

/** Returns the text of a repository file. */
export function text(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Returns the sorted paths below a directory with this ending. */
export function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(path, ending)
      return entry.isFile() && entry.name.endsWith(ending) ? [path] : []
    })
    .sort()
}

/** Parses a YAML document, unvalidated. */
export function yaml<Content>(path: string): Content {
  return parse(text(path), { merge: true, version: '1.1' }) as Content
}

/** Parses all documents of a YAML file, unvalidated. */
export function yamlDocuments<Content>(content: string): Content[] {
  return parseAllDocuments(content, { version: '1.1' }).map((document) => document.toJS() as Content)
}
