import { setPriority } from 'node:os'
import { compareSync, hashSync } from 'bcrypt'

export type PasswordTask =
  | { readonly kind: 'hash'; readonly password: string; readonly cost: number }
  | { readonly kind: 'compare'; readonly password: string; readonly hash: string }

/** The lowest: hashes get what nobody else wants. On Linux priority 0 names the calling thread alone. */
const NICE = 19

if (process.platform === 'linux') {
  try {
    setPriority(0, NICE)
  } catch {
    // Not allowed here: hashes then compete with requests on equal terms.
  }
}

/** What piscina runs on each thread. */
export default function run(task: PasswordTask): string | boolean {
  return task.kind === 'hash' ? hashSync(task.password, task.cost) : compareSync(task.password, task.hash)
}
