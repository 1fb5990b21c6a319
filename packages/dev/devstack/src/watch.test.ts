import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { services } from './services.ts'
import { watchedFolders } from './watch.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '../../../..')

it('a saved file restarts exactly the services that use it, directly or through a package', () => {
  const restartsOf = (folder: string) =>
    watchedFolders(root, services).find((watched) => watched.folder === folder)?.restarts
  const all = services.map(({ name }) => name)
  expect(restartsOf('services/chat-service')).toEqual(['chat-service'])
  expect(restartsOf('services/media-service')).toEqual(['media-service', 'media-worker'])
  expect(restartsOf('packages/contracts')).toEqual(expect.arrayContaining(all))
  expect(restartsOf('packages/outbox')).toEqual(expect.arrayContaining(all))
  expect(restartsOf('packages/dev/gateway')).toEqual(['gateway'])
  expect(restartsOf('packages/web-client')).toEqual([])
})
