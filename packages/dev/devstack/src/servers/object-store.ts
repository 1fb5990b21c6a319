import { join } from 'node:path'
import { ensureArtefact } from '../fetch/artefact.ts'
import { buildGo } from '../fetch/go.ts'
import { type Instance, type Passwords, serverFolder } from '../instance.ts'
import { isOk } from '../readiness.ts'
import { type Server, serverDefaults } from './server.ts'

const version = '1.8.0'

const gateway = {
  title: 'the object store (versitygw)',
  module: 'github.com/versity/versitygw/cmd/versitygw',
  version: `v${version}`,
  modules: 90,
  packages: 480,
}

/** The store's root account, also used by services on a developer's machine. */
const OBJECT_STORE_ACCOUNT = 'object-store'

/** Returns the address and credentials of an instance's store. */
export function objectStoreAccess(
  { ports }: Pick<Instance, 'ports'>,
  passwords: Passwords,
): { url: string; accessKey: string; secretKey: string } {
  return {
    url: `http://127.0.0.1:${ports.s3}`,
    accessKey: OBJECT_STORE_ACCOUNT,
    secretKey: passwords(OBJECT_STORE_ACCOUNT),
  }
}

/** Builds the S3 server once into the shared cache. */
function fetchObjectStore(cacheFolder: string): Promise<string> {
  return ensureArtefact(cacheFolder, {
    name: `versitygw-${version}-${process.arch}`,
    title: `Object store, versitygw ${version}: Go build, one to three minutes the first time`,
    fill: (part, say) => buildGo(part, gateway, say),
  })
}

/** An S3 server on files. Does not fsync: production requires a real S3. */
export const objectStore: Server = {
  title: 'Object store',
  async prepare(context) {
    const { instance, passwords } = context
    const folder = await fetchObjectStore(instance.cacheFolder)
    const data = serverFolder(instance, 's3')
    const sidecar = serverFolder(instance, 'object-metadata')
    const port = instance.ports.s3
    return [
      {
        ...serverDefaults(context),
        name: 'object-store',
        command: join(folder, 'versitygw'),
        env: {
          PATH: process.env.PATH,
          ROOT_ACCESS_KEY_ID: OBJECT_STORE_ACCOUNT,
          ROOT_SECRET_ACCESS_KEY: passwords(OBJECT_STORE_ACCOUNT),
        },
        cwd: data,
        args: [
          '--port',
          `127.0.0.1:${port}`,
          '--health',
          '/health',
          '--quiet',
          'posix',
          '--sidecar',
          sidecar,
          data,
        ],
        port,
        isReady: () => isOk(`http://127.0.0.1:${port}/health`),
      },
    ]
  },
}
