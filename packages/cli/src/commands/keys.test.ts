import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, it, vi } from 'vitest'
import { runProgram } from '../program.ts'

const folder = mkdtempSync(join(tmpdir(), 'bigtech-keys-'))
const file = join(folder, 'jwt.pem')

beforeEach(() => {
  const { privateKey } = generateKeyPairSync('ed25519')
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o400 })
})
afterAll(() => rmSync(folder, { recursive: true }))

async function keys(...args: string[]) {
  let text = ''
  const code = await runProgram(['--json', 'keys', ...args], (part) => {
    text += part
  })
  return { code, answer: text === '' ? undefined : JSON.parse(text) }
}

const listed = async () =>
  ((await keys('list', file)).answer as { fingerprint: string }[]).map((key) => key.fingerprint)

it('bigtech keys rotates the signing key in three steps, so that both keys are published while either may have signed a token', async () => {
  const [old] = await listed()
  await keys('rotate', file, '--step', 'add', '--apply')
  const added = await listed()
  expect(added).toHaveLength(2)
  expect(added[0]).toBe(old)
  await keys('rotate', file, '--step', 'sign', '--apply')
  expect(await listed()).toEqual([added[1], old])
  await keys('rotate', file, '--step', 'retire', '--apply')
  expect(await listed()).toEqual([added[1]])
  expect(statSync(file).mode & 0o777).toBe(0o400)
})

it('bigtech keys writes nothing without --apply, and never prints a private key', async () => {
  const before = readFileSync(file, 'utf8')
  const { answer } = await keys('rotate', file, '--step', 'add')
  expect(readFileSync(file, 'utf8')).toBe(before)
  expect(answer.keys).toHaveLength(2)
  expect(JSON.stringify(answer)).not.toContain('PRIVATE')
})

it('bigtech keys rejects an unknown step, a file without a key, and signing with a missing second key', async () => {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  expect((await keys('rotate', file, '--step', 'swap')).code).toBe(2)
  expect((await keys('rotate', file, '--step', 'sign', '--apply')).code).toBe(1)
  expect((await keys('list', join(folder, 'missing.pem'))).code).toBe(1)
  stderr.mockRestore()
})
