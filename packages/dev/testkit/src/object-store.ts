import { testServers } from './servers.ts'

/** Address and credentials of the object store for tests. */
export interface TestObjectStore {
  readonly url: string
  readonly accessKey: string
  readonly secretKey: string
}

/**
 * Returns the object store of the running servers. Tests share it with unique bucket names (`uniqueName`).
 * @throws Error when the servers were started by a version without it
 */
export function testObjectStore(): TestObjectStore {
  const { s3 } = testServers()
  if (!s3) throw new Error('The running servers have no object store: stop them and start them again.')
  return s3
}
