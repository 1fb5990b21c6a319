import { checkFile } from './check-file.ts'
import type { Task } from './tasks.ts'

/** The process in which files of strangers are parsed: its one argument is the task, its output the result. */
const task = JSON.parse(process.argv[2] ?? '') as Task<'check'>
process.stdout.write(JSON.stringify(await checkFile(task.input, task.folder)))
