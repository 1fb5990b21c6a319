#!/usr/bin/env node
// Uses the checkout's Node when the system's is too old for TypeScript. Images call src/main.ts directly.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..', '..')
const own = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
const node = existsSync(own) ? own : process.execPath
const main = join(import.meta.dirname, '..', 'src', 'main.ts')
const { status } = spawnSync(
  node,
  ['--disable-warning=TimeoutNegativeWarning', main, ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
)
process.exitCode = status ?? 1
