import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Certificate {
  readonly file: string
  readonly key: string
  /** Key and certificate in one file. */
  readonly keyStore: string
}

/** Makes a self-signed certificate of one day for localhost and 127.0.0.1 in the folder. Clients that trust `file` accept it. */
export function makeCertificate(folder: string): Certificate {
  const [file, key, keyStore] = ['cert.pem', 'key.pem', 'store.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key]
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const args = ['req', ...curve, '-x509', '-days', '1', ...names, '-out', file]
  const made = spawnSync('openssl', args, { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(made.stderr)
  writeFileSync(keyStore, readFileSync(key, 'utf8') + readFileSync(file, 'utf8'), { mode: 0o600 })
  return { file, key, keyStore }
}
