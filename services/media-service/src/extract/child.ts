import { checkFile } from './check-file.ts'
import type { AnyTask } from './tasks.ts'

/** The process that parses untrusted files: its argument is the task, its output the result. */
const task = JSON.parse(process.argv[2] ?? '') as AnyTask
const result =
  task.name === 'check'
    ? await checkFile(task.input, task.folder)
    : await (await import('./documents/extract-document.ts')).extractDocument(task.input, task.folder)
process.stdout.write(JSON.stringify(result))
