import { generateKeyPairSync } from 'node:crypto'
import { chownSync, existsSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'

// The user of the services' images.
const SERVICE_UID = 65532

const usage = `Usage: node make-key.mjs FILE
Makes the private key that signs access tokens, once: an existing file is kept.`

const { values, positionals } = readArguments()
if (values.help) {
  console.log(usage)
  process.exit(0)
}
const [file] = positionals
if (file === undefined || positionals.length > 1) refuse('make-key.mjs takes one file.')

function readArguments() {
  try {
    return parseArgs({ options: { help: { type: 'boolean', short: 'h' } }, allowPositionals: true })
  } catch (error) {
    return refuse(error.message)
  }
}

function refuse(message) {
  console.error(`${message}\n${usage}`)
  process.exit(2)
}

// Lets `bigtech keys rotate` replace the file.
if (process.getuid?.() === 0) chownSync(dirname(file), SERVICE_UID, SERVICE_UID)
if (existsSync(file)) {
  console.log(`${file} kept`)
} else {
  const { privateKey } = generateKeyPairSync('ed25519')
  // Renames the complete file, so that a service that starts concurrently never reads a partial key.
  const draft = `${file}.new`
  writeFileSync(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o400 })
  if (process.getuid?.() === 0) chownSync(draft, SERVICE_UID, SERVICE_UID)
  renameSync(draft, file)
  console.log(`${file} made`)
}
