import { renameSync, writeFileSync } from 'node:fs'

/** Writes a secret file whole or not at all, readable by this user only. */
export function writeSecret(file: string, content: string): void {
  writeFileSync(`${file}.part`, content, { mode: 0o600 })
  renameSync(`${file}.part`, file)
}
