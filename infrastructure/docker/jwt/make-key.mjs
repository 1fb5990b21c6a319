// Makes the private key that signs access tokens, once: an existing file is kept.
// usage: node make-key.mjs FILE
import { generateKeyPairSync } from 'node:crypto'
import { chownSync, existsSync, renameSync, writeFileSync } from 'node:fs'

// The account that the services' images run as.
const SERVICE_UID = 65532

const file = process.argv[2]
if (!file) throw new Error('usage: node make-key.mjs FILE')
if (existsSync(file)) {
  console.log(`${file} kept`)
} else {
  const { privateKey } = generateKeyPairSync('ed25519')
  // Complete before it has its name: a service that starts meanwhile never reads half a key.
  const draft = `${file}.new`
  writeFileSync(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o400 })
  if (process.getuid?.() === 0) chownSync(draft, SERVICE_UID, SERVICE_UID)
  renameSync(draft, file)
  console.log(`${file} made`)
}
