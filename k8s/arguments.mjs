import { basename } from 'node:path'
import { parseArgs } from 'node:util'

/** Parses the options of a script; `--help` prints the usage, and an unknown option exits with an error. */
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
