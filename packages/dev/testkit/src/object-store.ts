import { testServers } from './servers.ts'

/** How a test reaches the real object store. */
export interface TestObjectStore {
  readonly url: string
  readonly accessKey: string
  readonly secretKey: string
}

/**
 * The object store of the running servers. Tests share it: each takes bucket names of its own (`uniqueName`).
 * @throws Error when the servers were started by a version that had none.
 */
export function testObjectStore(): TestObjectStore {
  const { s3 } = testServers()
  if (!s3) throw new Error('The running servers have no object store: stop them and start them again.')
  return s3
}
