import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, text } from './files.ts'

export interface ComposeService {
  image?: string
  container_name?: string
  build?: { context: string; dockerfile: string; target?: string; args?: Record<string, string> }
  environment?: Record<string, string | null>
  ports?: Array<{ published?: string; target: number; host_ip?: string }>
  depends_on?: Record<string, { condition: string }>
  healthcheck?: { test?: string[]; disable?: boolean }
  volumes?: Array<{ type: string; source?: string; target: string; read_only?: boolean }>
  tmpfs?: string[]
  deploy?: { resources?: { limits?: { memory?: string } } }
  profiles?: string[]
  restart?: string
  read_only?: boolean
  init?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  command?: string[] | null
  networks?: Record<string, { aliases?: string[] } | null>
  labels?: Record<string, string>
  logging?: { options?: Record<string, string> }
  stop_grace_period?: string
}

export interface ComposeModel {
  name: string
  services: Record<string, ComposeService>
  volumes: Record<string, unknown>
}

const envFile = join(tmpdir(), `bigtech-compose-${process.pid}-${process.env.VITEST_POOL_ID ?? 0}.env`)

/** A file of what .env.example becomes, with a fixed value in place of every generated one. */
export function exampleEnv(): string {
  if (!existsSync(envFile)) {
    writeFileSync(envFile, text('.env.example').replaceAll('=generate', '=s3cret-of-this-test'))
    process.once('exit', () => rmSync(envFile, { force: true }))
  }
  return envFile
}

export interface Loaded {
  model?: ComposeModel
  error: string
}

/** What the parser answered, by its arguments: a parser run takes longer than the tests that look at its answer. */
const answers = new Map<string, ReturnType<typeof parse>>()

/** Reads Compose files with the reference parser. Nothing of the caller's environment gets in. */
export function loadCompose(
  parser: string,
  files: readonly string[],
  options: { env?: string; profiles?: string } = {},
): Loaded {
  const args = [...(options.env ? ['-env', options.env] : []), '-profiles', options.profiles ?? '*', ...files]
  // Another environment file may have changed since.
  const key = options.env && options.env !== envFile ? undefined : [parser, ...args].join(' ')
  const result = (key && answers.get(key)) || parse(parser, args)
  if (key) answers.set(key, result)
  if (result.status !== 0) return { error: result.stderr || String(result.error) }
  return { model: JSON.parse(result.stdout) as ComposeModel, error: result.stderr }
}

const parse = (parser: string, args: readonly string[]) =>
  spawnSync(parser, args, {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
    maxBuffer: 1e8,
  })
