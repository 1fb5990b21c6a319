import { spawnSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { filesBelow, root, text } from './files.ts'
import { FETCH_TIMEOUT_MS, need } from './tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'bigtech-scripts-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('the scripts of the operators', () => {
  it('the scripts of the operators and of CI pass shellcheck', {
    timeout: FETCH_TIMEOUT_MS,
  }, async (context) => {
    const shellcheck = await need('shellcheck', context)
    const scripts = ['infrastructure/docker', 'scripts/ci'].flatMap((path) => filesBelow(path, '.sh'))
    expect(scripts.length).toBeGreaterThan(10)
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

describe('rotate.sh', () => {
  /** Stands for Docker: containers run with development secrets, and a job fails when FAIL names its service. */
  const docker = `#!/bin/sh
case "$*" in
  *" ps "*) echo container ;;
  inspect*) printf 'MYSQL_ROOT_PASSWORD=development\\nTOTP_KEYS=old-key-of-the-apps&/1\\n' ;;
  *"run --rm"*"$FAIL") exit 1 ;;
esac
`
  const checkout = (name: string) => {
    const copy = join(folder, name)
    mkdirSync(join(copy, 'bin'), { recursive: true })
    cpSync(join(root, '.env.example'), join(copy, '.env.example'))
    for (const script of ['rotate.sh', 'make-env.sh'])
      cpSync(join(root, 'infrastructure/docker', script), join(copy, 'infrastructure/docker', script))
    writeFileSync(join(copy, 'bin/docker'), docker, { mode: 0o755 })
    const rotate = (FAIL = 'none') =>
      spawnSync(join(copy, 'infrastructure/docker/rotate.sh'), {
        env: { PATH: `${join(copy, 'bin')}:${process.env.PATH}`, FAIL },
        encoding: 'utf8',
      })
    const read = (file = '.env') =>
      new Map(
        readFileSync(join(copy, file), 'utf8')
          .split('\n')
          .filter((line) => /^[A-Z]/.test(line))
          .map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]),
      )
    return { copy, rotate, read }
  }
  const names = [...text('.env.example').matchAll(/^(\w+)=generate$/gm)].map(([, name]) => name as string)

  it('rotate.sh replaces every secret, keeps settings and appends the previous keys of authenticator apps', () => {
    const { copy, rotate, read } = checkout('rotated')
    writeFileSync(
      join(copy, '.env'),
      `${names.map((name) => `${name}=before`).join('\n')}\nGATEWAY_PORT=8080\n`,
    )
    const { status, stderr } = rotate()
    expect([status, stderr]).toEqual([0, ''])
    const after = read()
    for (const name of names) expect(after.get(name), name).toMatch(/^[0-9a-f]{48}(,|$)/)
    expect(after.get('TOTP_KEYS')).toMatch(/,old-key-of-the-apps&\/1$/)
    expect(after.get('GATEWAY_PORT')).toBe('8080')
    expect(statSync(join(copy, '.env')).mode & 0o077).toBe(0)
    expect(existsSync(join(copy, '.env.next'))).toBe(false)
  })

  it('rotate.sh keeps .env until the databases know the new passwords, and continues with the same ones', () => {
    const { copy, rotate, read } = checkout('interrupted')
    expect(rotate('mongodb-accounts').status).not.toBe(0)
    expect(existsSync(join(copy, '.env'))).toBe(false)
    const next = read('.env.next')
    expect(rotate().status).toBe(0)
    expect(read()).toEqual(next)
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

describe.each(['mysql', 'mongodb'])('backup/%s.sh', (store) => {
  /** Restores a file with a client that only records that it was called. */
  const restore = (content: Buffer) => {
    const bin = mkdtempSync(join(folder, 'restore-'))
    for (const client of ['mysql', 'mongorestore'])
      writeFileSync(join(bin, client), '#!/bin/sh\necho called >> "$CALLS"\ncat > /dev/null\n', {
        mode: 0o755,
      })
    const [file, calls] = [join(bin, 'backup.gz'), join(bin, 'calls')]
    writeFileSync(file, content)
    const script = join(root, `infrastructure/docker/backup/${store}.sh`)
    const { status } = spawnSync('bash', [script, 'restore', file], {
      env: {
        PATH: `${bin}:${process.env.PATH}`,
        CALLS: calls,
        MONGO_URL: 'mongodb://nowhere',
        MYSQL_HOST: 'nowhere',
        MYSQL_ROOT_PASSWORD: 'unused',
      },
    })
    return { status, isChanged: existsSync(calls) }
  }
  const backup = gzipSync(Buffer.alloc(10_000, 'backup'))

  it(`${store}.sh rejects an incomplete backup before it changes anything`, () => {
    expect(restore(backup)).toEqual({ status: 0, isChanged: true })
    expect(restore(backup.subarray(0, -20))).toEqual({ status: 1, isChanged: false })
  })
})

describe('infrastructure/docker/release.sh', () => {
  /** Stands for Docker: containers are lines of a file, and those named in UNREADY never become healthy. */
  const docker = `#!/bin/bash
case "$*" in
  "compose config --services") echo chat-migrate; sleep 0.1; echo chat-service ;;
  "compose run"*) echo migrate >> "$CALLS" ;;
  "compose ps --quiet chat-service") cat "$COPIES" ;;
  "compose up"*)
    new=new-$(($(grep -c start "$CALLS") + 1))
    echo "$new" >> "$COPIES"
    echo "start $new: $(wc -l < "$COPIES") run" >> "$CALLS" ;;
  inspect*) if [ "\${*: -1}" = "$UNREADY" ]; then echo starting; else echo healthy; fi ;;
  stop*) echo "stop $2" >> "$CALLS" ;;
  rm*) sed -i "/^\${*: -1}$/d" "$COPIES" ;;
esac
`
  const release = (environment: Record<string, string> = {}) => {
    const bin = mkdtempSync(join(folder, 'compose-release-'))
    const [calls, copies] = [join(bin, 'calls'), join(bin, 'copies')]
    writeFileSync(calls, '')
    writeFileSync(copies, 'old-1\nold-2\n')
    writeFileSync(join(bin, 'docker'), docker, { mode: 0o755 })
    const script = join(root, 'infrastructure/docker/release.sh')
    const { status, stderr } = spawnSync(script, ['chat-service'], {
      encoding: 'utf8',
      env: {
        PATH: `${bin}:${process.env.PATH}`,
        ...{ CALLS: calls, COPIES: copies, SETTLE_SECONDS: '0', READY_WITHIN_SECONDS: '0' },
        ...environment,
      },
    })
    const lines = (file: string) => readFileSync(file, 'utf8').trim().split('\n')
    return { status, stderr, calls: lines(calls), copies: lines(copies) }
  }

  it('release.sh migrates first, and stops each old copy after a new one is ready', () => {
    expect(release()).toMatchObject({
      status: 0,
      calls: ['migrate', 'start new-1: 3 run', 'stop old-1', 'start new-2: 3 run', 'stop old-2'],
      copies: ['new-1', 'new-2'],
    })
  })

  it('release.sh removes a copy that does not become ready, and keeps the remaining old ones', () => {
    const { status, stderr, calls, copies } = release({ UNREADY: 'new-2' })
    expect([status, copies]).toEqual([1, ['old-2', 'new-1']])
    expect(calls).not.toContain('stop old-2')
    expect(stderr).toContain('chat-service: the new copy was not ready after 0 s and has been removed')
  })
})

describe('scripts/ci/release.sh', () => {
  /** Stands for Docker: a registry with two images of ours, whose version gets another digest when MOVED is set. */
  const docker = `#!/bin/sh
case "$*" in
  *"config --images") printf '%s\\n' $IMAGES ;;
  *"inspect --format {{json .Manifest.Digest}}"*:1.2.3) echo "\\"sha256:tested$MOVED\\"" ;;
  *"inspect --format {{json .Manifest.Digest}}"*) echo '"sha256:tested"' ;;
  *"imagetools inspect"*) printf 'Name: a table\\nDigest: sha256:tested\\n' ;;
  *"imagetools create"*) echo "$*" | sed 's/.*--tag/tag/' >> "$CALLS" ;;
esac
`
  /** Stands for pnpm: knows one package, and writes its name. */
  const npx = `#!/bin/sh
case "$*" in
  *"--fail-if-no-match --filter @bigtech/chat-service sbom --lockfile-only --prod "*)
    for last; do :; done
    echo "packages of chat-service" > "$last" ;;
  *) exit 1 ;;
esac
`
  const cosign = `#!/bin/sh
case "$*" in attest*) echo "$*" | sed 's/.*--predicate \\([^ ]*\\) .*/\\1/' | xargs cat >> "$CALLS" ;; esac
echo "cosign $*" | sed 's/--predicate [^ ]*/--predicate FILE/' >> "$CALLS"
`
  const release = (environment: Record<string, string> = {}) => {
    const bin = mkdtempSync(join(folder, 'release-'))
    const calls = join(bin, 'calls')
    writeFileSync(calls, '')
    writeFileSync(join(bin, 'docker'), docker, { mode: 0o755 })
    writeFileSync(join(bin, 'npx'), npx, { mode: 0o755 })
    writeFileSync(join(bin, 'cosign'), cosign, { mode: 0o755 })
    const { status, stderr } = spawnSync(join(root, 'scripts/ci/release.sh'), ['1.2.3'], {
      encoding: 'utf8',
      env: {
        PATH: `${bin}:${process.env.PATH}`,
        CALLS: calls,
        IMAGES:
          'registry/chat-service:sha-1 registry/chat-service:sha-1 redis:7.4 registry/user-service-migrate:sha-1',
        BIGTECH_REGISTRY: 'registry',
        BIGTECH_VERSION: 'sha-1',
        ...environment,
      },
    })
    return { status, stderr, calls: readFileSync(calls, 'utf8').trim().split('\n') }
  }

  it('release.sh gives the tested digest of each image its version, signs it, and attaches the npm packages of a service', () => {
    const [chat, migrate] = ['registry/chat-service', 'registry/user-service-migrate']
    expect(release({ COSIGN_ARGS: '--key key' })).toEqual({
      status: 0,
      stderr: '',
      calls: [
        `tag ${chat}:1.2.3 ${chat}@sha256:tested`,
        `cosign sign --yes --key key ${chat}@sha256:tested`,
        'packages of chat-service',
        `cosign attest --yes --key key --type cyclonedx --predicate FILE ${chat}@sha256:tested`,
        `tag ${migrate}:1.2.3 ${migrate}@sha256:tested`,
        `cosign sign --yes --key key ${migrate}@sha256:tested`,
      ],
    })
  })

  it('release.sh fails when an image has no package to list', () => {
    expect(release({ IMAGES: 'registry/unknown-service:sha-1' }).status).toBe(1)
  })

  it('release.sh does not sign an image whose version has another digest than the tested one', () => {
    const { status, stderr, calls } = release({ MOVED: '-not' })
    expect([status, stderr]).toEqual([
      1,
      'registry/chat-service:1.2.3 is not sha256:tested, which was tested\n',
    ])
    expect(calls.filter((call) => call.startsWith('cosign'))).toEqual([])
  })

  it('release.sh fails when there is no image to release', () => {
    expect(release({ IMAGES: 'redis:7.4' })).toEqual({ status: 1, stderr: '', calls: [''] })
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
