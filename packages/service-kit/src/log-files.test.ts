import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitFor } from '@bigtech/testkit'
import { expect, it } from 'vitest'
import { openLogFiles } from './log-files.ts'
import { createLogger } from './logging.ts'

it('the log is written to stdout and to files, and the oldest files are removed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'log-files-'))
  try {
    const lines: string[] = []
    const stdout = { write: (line: string) => void lines.push(line), end: () => undefined }
    const service = 'test-service'
    const destination = await openLogFiles({ service, folder, days: 1, everyMs: 1_000 }, stdout)
    const log = createLogger({ service, level: 'debug', destination })
    log.debug({ room_id: 7 }, 'first')
    const [name] = (await waitFor(async () => {
      const names = await readdir(folder)
      return names.length > 0 ? names : undefined
    })) as string[]
    const day = new Date().toLocaleDateString('sv')
    expect(name).toBe(`test-service.${day}.1.log`)
    // In one read: the next one may find the file removed.
    await waitFor(async () => (await readFile(join(folder, name!), 'utf8')) === lines[0], {
      what: 'the line in the file',
    })
    await waitFor(async () => !(await readdir(folder)).includes(name!), {
      what: 'removal of the oldest file',
    })
    expect((await readdir(folder)).length).toBeLessThanOrEqual(3)
    ;(destination as unknown as { end(): void }).end()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
