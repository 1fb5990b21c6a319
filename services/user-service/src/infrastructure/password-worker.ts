import { setPriority } from 'node:os'
import { compareSync, hashSync } from 'bcrypt'

export type PasswordTask =
  | { readonly kind: 'hash'; readonly password: string; readonly cost: number }
  | { readonly kind: 'compare'; readonly password: string; readonly hash: string }

/** The lowest priority: hashes get only idle CPU time. On Linux priority 0 refers to the calling thread alone. */
const NICE = 19

if (process.platform === 'linux') {
  try {
    setPriority(0, NICE)
  } catch {
    // Not permitted: hashes then compete with requests at equal priority.
  }
}

/** The task function that piscina runs on each thread. */
export default function run(task: PasswordTask): string | boolean {
  return task.kind === 'hash' ? hashSync(task.password, task.cost) : compareSync(task.password, task.hash)
}
