import { renameSync, writeFileSync } from 'node:fs'

/** Writes a secret file atomically, readable by this user only. */
export function writeSecret(file: string, content: string): void {
  writeFileSync(`${file}.part`, content, { mode: 0o600 })
  renameSync(`${file}.part`, file)
}
