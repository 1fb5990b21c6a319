import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The one version: of the packages, the images and the documents of the API. */
export const productVersion = (
  JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as { version: string }
).version
