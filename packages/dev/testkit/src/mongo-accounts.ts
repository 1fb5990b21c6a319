import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mongoose from 'mongoose'
import { freePort } from './free-port.ts'
import { testServers, uniqueName } from './servers.ts'
import { waitFor } from './wait-for.ts'

/** A server in front of the data of the shared one that requires an account. */
export interface MongoWithAccounts {
  readonly host: string
  readonly account: string
  readonly password: string
  stop(): Promise<void>
}

/**
 * Starts the server and creates an account. Undefined when the shared server is no MongoDB-compatible one, or was started by
 * a version that does not tell its command.
 */
export async function startMongoWithAccounts(): Promise<MongoWithAccounts | undefined> {
  const { url, command: [program, ...args] = [] } = testServers().mongo
  if (program === undefined) return undefined
  const host = `127.0.0.1:${await freePort()}`
  const ownOptions = /^--(no-auth$|listen-addr=|state-dir=)/
  const kept = args.filter((each) => !ownOptions.test(each))
  const folder = mkdtempSync(join(tmpdir(), 'bigtech-mongo-'))
  const child = spawn(program, [...kept, `--listen-addr=${host}`, `--state-dir=${folder}`], {
    stdio: 'ignore',
  })
  const shared = await mongoose.createConnection(url).asPromise()
  const admin = shared.getClient().db('admin')
  const [account, password] = [uniqueName('account_'), uniqueName('Secret-')]
  const roles = [
    { role: 'readWriteAnyDatabase', db: 'admin' },
    { role: 'clusterAdmin', db: 'admin' },
  ]
  await admin.command({ createUser: account, pwd: password, roles })
  const stop = async () => {
    await admin.command({ dropUser: account })
    await shared.close()
    child.kill('SIGTERM')
    await once(child, 'exit')
    rmSync(folder, { recursive: true })
  }
  await waitFor(() => accepts(`mongodb://${account}:${password}@${host}`), { what: 'MongoDB with accounts' })
  return { host, account, password, stop }
}

async function accepts(url: string): Promise<boolean> {
  const connection = mongoose.createConnection()
  try {
    await connection.openUri(url, { serverSelectionTimeoutMS: 500 })
    return true
  } catch {
    return false
  } finally {
    await connection.close()
  }
}
