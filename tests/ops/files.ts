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

/** What a service is called in Compose: media-service has a name without a copy's number for each process. */
export const composeName = (service: string): string => (service === 'media-service' ? 'web' : service)

/** The text of a file of the repository. */
export function text(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Paths of the files below a folder whose names end so, sorted. */
export function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(path, ending)
      return entry.isFile() && entry.name.endsWith(ending) ? [path] : []
    })
    .sort()
}

/** One YAML document. The schema is the reader's business: validators have checked it. */
export function yaml<Content>(path: string): Content {
  return parse(text(path), { merge: true, version: '1.1' }) as Content
}

/** All documents of a YAML file. */
export function yamlDocuments<Content>(content: string): Content[] {
  return parseAllDocuments(content, { version: '1.1' }).map((document) => document.toJS() as Content)
}
