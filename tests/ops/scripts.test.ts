import { spawnSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { filesBelow, root, text } from './files.ts'
import { FETCH_TIMEOUT_MS, need } from './tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'bigtech-scripts-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('the scripts of the operators', () => {
  it('the scripts of the operators pass shellcheck', { timeout: FETCH_TIMEOUT_MS }, async (context) => {
    const shellcheck = await need('shellcheck', context)
    const scripts = filesBelow('infrastructure/docker', '.sh')
    expect(scripts.length).toBeGreaterThan(5)
    const result = spawnSync(shellcheck, scripts, { cwd: root, encoding: 'utf8' })
    expect(result.stdout + result.stderr).toBe('')
  })
})

describe('make-env.sh', () => {
  const makeEnv = (file: string) =>
    spawnSync(join(root, 'infrastructure/docker/make-env.sh'), [file], { encoding: 'utf8' })

  it('make-env.sh writes random secrets readable by the owner only, and keeps existing ones', () => {
    const file = join(folder, 'first.env')
    expect(makeEnv(file).status).toBe(0)
    const written = readFileSync(file, 'utf8')
    const secrets = written.split('\n').filter((line) => /=[0-9a-f]{48}$/.test(line))
    expect(secrets.length).toBe(text('.env.example').match(/=generate$/gm)?.length)
    expect(new Set(secrets.map((line) => line.split('=')[1])).size).toBe(secrets.length)
    expect(statSync(file).mode & 0o077).toBe(0)
    expect(makeEnv(file).status).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(written)
  })

  it('make-env.sh adds missing secrets to an older file and changes nothing else', () => {
    const file = join(folder, 'older.env')
    writeFileSync(file, 'REDIS_PASSWORD=mine\n')
    expect(makeEnv(file).status).toBe(0)
    const lines = readFileSync(file, 'utf8').split('\n')
    expect(lines[0]).toBe('REDIS_PASSWORD=mine')
    expect(lines.filter((line) => line.startsWith('REDIS_PASSWORD='))).toHaveLength(1)
    expect(lines.some((line) => line.startsWith('MYSQL_ROOT_PASSWORD='))).toBe(true)
  })
})

describe('make-key.mjs', () => {
  it('make-key.mjs creates an Ed25519 key for its owner only, once', () => {
    const file = join(folder, 'key.pem')
    const make = () =>
      spawnSync(process.execPath, [join(root, 'infrastructure/docker/jwt/make-key.mjs'), file], {
        encoding: 'utf8',
      })
    expect(make().status).toBe(0)
    const pem = readFileSync(file, 'utf8')
    expect(createPrivateKey(pem).asymmetricKeyType).toBe('ed25519')
    expect(statSync(file).mode & 0o777).toBe(0o400)
    expect(make().status).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(pem)
  })
})

describe('the workflow', () => {
  it('the workflow passes actionlint', { timeout: FETCH_TIMEOUT_MS }, async (context) => {
    const actionlint = await need('actionlint', context)
    const shellcheck = await need('shellcheck', context)
    const result = spawnSync(actionlint, ['-no-color', '-shellcheck', shellcheck], {
      cwd: root,
      encoding: 'utf8',
    })
    expect(result.stdout + result.stderr).toBe('')
    expect(result.status).toBe(0)
  })

  it('the workflow pins every action by commit, and may write only packages and its own identity', () => {
    const workflow = text('.github/workflows/ci.yml')
    const uses = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action]) => action as string)
    expect(uses.length).toBeGreaterThan(5)
    for (const action of uses) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/)
    const granted = [...workflow.matchAll(/^ +([\w-]+): write$/gm)].map(([, scope]) => scope)
    expect(new Set(granted)).toEqual(new Set(['packages', 'id-token']))
  })
})
