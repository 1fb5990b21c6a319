import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, seed } from '@bigtech/devstack'
import { beforeAll, describe, expect, it } from 'vitest'
import { stack } from './stack.ts'

const text = readFileSync(join(import.meta.dirname, '../../docs/QUICK_START.md'), 'utf8')

/** Returns the commands below headings of the quick start, with the addresses of the running system. */
function commandsBelow(...headings: string[]): string {
  const blocks = headings.flatMap((heading) => {
    const [section] = text.split(`\n## ${heading}`)[1]?.split('\n## ') ?? []
    if (section === undefined) throw new Error(`docs/QUICK_START.md has no section "${heading}"`)
    return [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block)
  })
  return blocks
    .join('\n')
    .replaceAll('http://localhost:8005', stack.user)
    .replaceAll('http://localhost:8000', stack.gateway)
}

interface Ran {
  code: number | null
  out: string
  err: string
}

async function run(shell: string, script: string): Promise<Ran> {
  // Job control, as in a terminal: the quick start stops its stream with `kill %1`.
  const child = spawn(shell, ['-c', `set -m\n${script}`], {
    env: { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env.PATH}` },
  })
  const outcome: Ran = { code: null, out: '', err: '' }
  child.stdout.on('data', (chunk) => {
    outcome.out += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    outcome.err += String(chunk)
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { ...outcome, code }
}

beforeAll(() => seed(stack.gateway))

const shells = ['bash', 'zsh'].flatMap((name) => findProgram(name) ?? [])

describe.each(shells)('the quick start in %s', (shell) => {
  it('the quick start shows an arriving message on the first and every later run', {
    timeout: 60_000,
  }, async () => {
    const script = commandsBelow('2. Sign up and sign in', '3. A friend, a room, a message').replace(
      'kill %1',
      'sleep 2; kill %1',
    )
    for (const _time of ['first', 'second']) {
      const { out, err } = await run(shell, script)
      expect(err).not.toMatch(/not found|parse error|undefined/)
      expect(out).toContain('"status":"healthy"')
      expect(out).toContain('event: message\n')
      expect(out).not.toContain('undefined')
    }
  })

  it('the quick start stops with a clear message when a sign-in is refused', {
    timeout: 30_000,
  }, async () => {
    const script = commandsBelow('2. Sign up and sign in').replace("'Mina1234!@'", "'wrong-password-1'")
    const { err, out } = await run(shell, `${script}\necho "token: [$MINA] [$JUNO]"`)
    expect(err).toContain('Sign-in was refused: ')
    expect(out).toContain('token: [] []')
  })
})

it('no command of the quick start has a comment, which zsh would parse as arguments', () => {
  const blocks = [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block as string)
  expect(blocks.flatMap((block) => block.split('\n').filter((line) => /(^|\s)#\s/.test(line)))).toEqual([])
})
