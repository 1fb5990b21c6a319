import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitFor } from '@bigtech/testkit'
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest'
import { openLogFiles } from './log-files.ts'
import { createLogger } from './logging.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'log-files-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function open(everyMs?: number) {
  const lines: string[] = []
  const stdout = { write: (line: string) => void lines.push(line), end: () => undefined }
  const service = 'test-service'
  const rotation = everyMs === undefined ? {} : { everyMs }
  const destination = await openLogFiles({ service, folder, days: 1, ...rotation }, stdout)
  onTestFinished(() => (destination as unknown as { end(): void }).end())
  return { lines, log: createLogger({ service, level: 'debug', destination }) }
}

const firstFile = () => `test-service.${new Date().toLocaleDateString('sv')}.1.log`

it('the log is written to stdout and to a file of the day', async () => {
  const { lines, log } = await open()
  log.debug({ room_id: 7 }, 'first')
  await waitFor(async () => (await readFile(join(folder, firstFile()), 'utf8')) === lines[0], {
    what: 'the line in the file',
  })
})

it('the oldest files of the log are removed', async () => {
  const first = firstFile()
  await open(1_000)
  await waitFor(
    async () => {
      const names = await readdir(folder)
      return names.length > 0 && !names.includes(first)
    },
    { what: 'newer files without the oldest' },
  )
  expect((await readdir(folder)).length).toBeLessThanOrEqual(3)
})
