import { basename } from 'node:path'
import { parseArgs } from 'node:util'

/** Reads the options of a script; `--help` prints the usage, and what the script does not know ends it. */
export function readOptions(usage, options = {}) {
  const known = { ...options, help: { type: 'boolean', short: 'h' } }
  let values
  try {
    values = parseArgs({ options: known }).values
  } catch (error) {
    console.error(`${basename(process.argv[1])}: ${error.message} See --help.`)
    process.exit(2)
  }
  if (!values.help) return values
  console.log(usage)
  process.exit(0)
}
