import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, type TestContext } from 'vitest'
import { root, text, yamlDocuments } from './files.ts'
import { podOf, type Resource, resources } from './kubernetes-model.ts'
import { build, buildWith } from './kustomize.ts'
import { FETCH_TIMEOUT_MS, need } from './tools.ts'

const overlays = ['small', 'production']
const components = readdirSync(join(root, 'k8s/components'))
const options = { timeout: FETCH_TIMEOUT_MS }
const { version } = JSON.parse(text('package.json')) as { version: string }
const suffix = `-${version.replaceAll('.', '-')}`

/** Kind and name, that of a Job without the version. */
const nameOf = ({ kind, metadata }: Resource) =>
  `${kind} ${kind === 'Job' ? metadata.name.replace(suffix, '') : metadata.name}`

const withoutSecrets = () => resources.filter(({ kind }) => kind !== 'Secret')

/** Objects of the overlays and components that differ from the plain manifests, which kubernetes.test.ts validates. */
async function patched(context: TestContext): Promise<Resource[]> {
  const plain = new Set(withoutSecrets().map((resource) => JSON.stringify(sorted(resource))))
  const built = [
    ...(await Promise.all(
      overlays.map(async (overlay) =>
        yamlDocuments<Resource>(await build(`k8s/overlays/${overlay}`, context)),
      ),
    )),
    ...(await Promise.all(components.map((component) => buildWith(component, context)))),
  ]
  return built.flat().filter((resource) => !plain.has(JSON.stringify(sorted(resource))))
}

/** The value with the keys of its objects in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}

it(
  'the patches of the overlays and components conform to the schemas of Kubernetes',
  options,
  async (context) => {
    const python = await need('kubernetesValidate', context)
    const changed = await patched(context)
    expect(changed.length).toBeGreaterThan(20)
    const folder = mkdtempSync(join(tmpdir(), 'bigtech-kustomize-'))
    const file = join(folder, 'changed.yaml')
    writeFileSync(file, changed.map((resource) => `---\n${JSON.stringify(resource)}\n`).join(''))
    const args = ['-m', 'kubernetes_validate', '--strict', '--quiet', file]
    const result = spawnSync(python, args, { encoding: 'utf8' })
    rmSync(folder, { recursive: true })
    expect(result.stdout + result.stderr).toBe('')
    expect(result.status).toBe(0)
  },
)

describe.each(overlays)('the overlay %s', (overlay) => {
  it(
    'an overlay applies every manifest of the plain order, and Jobs with the version in their names',
    options,
    async (context) => {
      const applied = yamlDocuments<Resource>(await build(`k8s/overlays/${overlay}`, context))
      const left = overlay === 'small' ? ['HorizontalPodAutoscaler', 'PodDisruptionBudget'] : []
      const expected = withoutSecrets().filter(({ kind }) => !left.includes(kind))
      expect(applied.map(nameOf).sort()).toEqual(expected.map(nameOf).sort())
      const jobs = applied.filter(({ kind }) => kind === 'Job')
      expect(jobs.length).toBeGreaterThan(8)
      // A Job is immutable: under the name of the release before, applying would fail.
      expect(jobs.filter(({ metadata }) => !metadata.name.endsWith(suffix))).toEqual([])
    },
  )
})

it(
  'the ConfigMaps of kubectl apply -k infrastructure/docker contain the files byte for byte',
  options,
  async (context) => {
    const built = yamlDocuments<Resource>(await build('infrastructure/docker', context))
    const expected = resources.filter(({ kind, data }) => kind === 'ConfigMap' && data?.['kong.yml'])
    expect(built.find(({ metadata }) => metadata.name === 'kong')?.data).toEqual(expected[0]?.data)
    expect(built).toHaveLength(2)
  },
)

it(
  'the small overlay runs one copy of everything and requires no second Kafka broker or MongoDB member',
  options,
  async (context) => {
    const yaml = await build('k8s/overlays/small', context)
    const applied = yamlDocuments<Resource>(yaml)
    const copies = applied.flatMap(({ kind, metadata, spec }) =>
      kind === 'Deployment' || kind === 'StatefulSet' ? [[metadata.name, spec.replicas]] : [],
    )
    expect(copies.filter(([, replicas]) => replicas !== 1)).toEqual([])
    expect(yaml).not.toMatch(/(kafka-1\.kafka|mongodb-1\.mongodb)/)
    const kafka = applied.find(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === 'kafka')
    const factors = podOf(kafka as Resource).spec.containers[0]?.env?.filter(({ name }) =>
      /REPLICATION_FACTOR|ISR|INSYNC/.test(name),
    )
    expect(factors?.length).toBeGreaterThan(5)
    expect(factors?.filter(({ value }) => value !== '1')).toEqual([])
  },
)

it(
  'the component for stream autoscaling leaves chat-service only metrics that depend on streams',
  options,
  async (context) => {
    const applied = await buildWith('stream-autoscaling', context)
    const scaler = applied.find(
      ({ kind, metadata }) => kind === 'HorizontalPodAutoscaler' && metadata.name === 'chat-service',
    )
    const metrics = scaler?.spec.metrics as Array<{ type: string; pods?: { metric: { name: string } } }>
    expect(metrics.map(({ type, pods }) => pods?.metric.name ?? type)).toEqual([
      'Resource',
      'sse_connections_open',
    ])
  },
)

it.for(overlays)(
  'k8s/README.md states what the overlay %s requests at least',
  options,
  async (overlay, context) => {
    const applied = yamlDocuments<Resource>(await build(`k8s/overlays/${overlay}`, context))
    const total = { pods: 0, cores: 0, mebibytes: 0 }
    for (const { kind, metadata, spec } of applied) {
      if (kind !== 'Deployment' && kind !== 'StatefulSet') continue
      const scaler = applied.find(
        (other) => other.kind === 'HorizontalPodAutoscaler' && other.metadata.name === metadata.name,
      )
      const copies = scaler?.spec.minReplicas ?? spec.replicas ?? 1
      const { cpu = '', memory = '' } = spec.template?.spec.containers[0]?.resources?.requests ?? {}
      total.pods += copies
      total.cores += copies * (Number.parseInt(cpu, 10) / 1000)
      total.mebibytes += copies * Number.parseInt(memory, 10) * (memory.endsWith('Gi') ? 1024 : 1)
    }
    const row = text('k8s/README.md').match(new RegExp(`^\\| ${overlay} +\\|(.*)\\|$`, 'm'))?.[1]
    expect(row?.split('|').map((cell) => cell.trim())).toEqual([
      String(total.pods),
      `${total.cores.toFixed(1)} cores`,
      `${(total.mebibytes / 1024).toFixed(1)} GiB`,
    ])
  },
)
