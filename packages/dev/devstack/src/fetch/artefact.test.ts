import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureArtefact } from './artefact.ts'

let cache: string

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'cache-'))
})

afterEach(() => rmSync(cache, { recursive: true, force: true }))

const base = { name: 'thing-1', title: 'a thing' }

describe('ensureArtefact', () => {
  it('ensureArtefact fetches once', async () => {
    let count = 0
    const fill = async (folder: string) => writeFileSync(join(folder, 'file'), String(++count))
    await ensureArtefact(cache, { ...base, fill })
    const folder = await ensureArtefact(cache, { ...base, fill })
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('1')
  })

  it('ensureArtefact fetches once for two concurrent starts', async () => {
    let count = 0
    const fill = async (folder: string) => {
      count += 1
      writeFileSync(join(folder, 'file'), '')
    }
    await Promise.all([1, 2].map(() => ensureArtefact(cache, { ...base, fill })))
    expect(count).toBe(1)
  })

  it('ensureArtefact does not accept an interrupted fetch as complete, and resumes it', async () => {
    const interrupted = async (folder: string) => {
      writeFileSync(join(folder, 'first half'), '')
      throw new Error('ECONNRESET')
    }
    await expect(ensureArtefact(cache, { ...base, fill: interrupted })).rejects.toThrow('ECONNRESET')
    expect(existsSync(join(cache, 'dist', base.name))).toBe(false)
    let found: string[] = []
    const fill = async (folder: string) => {
      found = readdirSync(folder)
    }
    const folder = await ensureArtefact(cache, { ...base, fill })
    expect(found).toEqual(['first half'])
    expect(existsSync(join(folder, '.complete'))).toBe(true)
  })

  it('ensureArtefact discards a broken artefact, so that a rerun starts again', async () => {
    const fill = async (folder: string) => writeFileSync(join(folder, 'broken'), '')
    const verify = async () => {
      throw new Error('a library is missing')
    }
    await expect(ensureArtefact(cache, { ...base, fill, verify })).rejects.toThrow('a library is missing')
    expect(existsSync(join(cache, 'dist', `${base.name}.part`))).toBe(false)
  })

  it('ensureArtefact fetches although a killed start left its lock', async () => {
    await ensureArtefact(cache, { ...base, name: 'other', fill: async () => undefined })
    writeFileSync(
      join(cache, 'dist', 'thing-1.lock'),
      JSON.stringify({ pid: process.pid, startedAt: '1', command: '' }),
    )
    const folder = await ensureArtefact(cache, { ...base, fill: async () => undefined })
    expect(existsSync(join(folder, '.complete'))).toBe(true)
  })
})
