import { runProgram } from './program.ts'

// After a failure, requests in flight would keep the process alive.
process.exit(await runProgram(process.argv.slice(2)))
