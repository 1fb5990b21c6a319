import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { root } from '../paths.ts'
import { portsOf } from '../ports.ts'
import { localConfig } from './prometheus.ts'

const folder = join(root, 'infrastructure/docker/prometheus')
const file = join(folder, 'prometheus.yml')

describe.runIf(existsSync(file))('Prometheus on this machine', () => {
  const original = parse(readFileSync(file, 'utf8'))
  const local = parse(localConfig(readFileSync(file, 'utf8'), portsOf('dev', {}), folder))

  it('Prometheus on this machine scrapes exactly the local addresses of the services and the gateway', () => {
    const targets = local.scrape_configs.flatMap((job: { static_configs: Array<{ targets: string[] }> }) =>
      job.static_configs.flatMap((entry) => entry.targets),
    )
    expect(targets).toEqual(
      expect.arrayContaining(['127.0.0.1:8005', '127.0.0.1:8003', '127.0.0.1:8002', '127.0.0.1:8001']),
    )
    for (const target of targets) expect(target).toMatch(/^127\.0\.0\.1:\d+$/)
  })

  it('Prometheus on this machine keeps the intervals and rules of the images', () => {
    expect(local.global).toEqual(original.global)
    expect(local.rule_files).toEqual(original.rule_files.map((name: string) => join(folder, name)))
  })
})
