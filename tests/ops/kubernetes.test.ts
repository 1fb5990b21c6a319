import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root, serviceNames, text } from './files.ts'
import {
  appOf,
  environmentOf,
  manifestFiles,
  named,
  ofKind,
  podOf,
  printed,
  type Resource,
  resources,
  workloads,
} from './kubernetes-model.ts'
import { FETCH_TIMEOUT_MS, need } from './tools.ts'

/** Maximum duration of service-kit's graceful stop. */
const DRAIN_SECONDS = 25

const serviceDeployments = [...serviceNames, 'media-worker', 'analysis-service']
const deployments = serviceDeployments.map((name) => named('Deployment', name))
const nameOf = (resource: Resource) => `${resource.kind} ${resource.metadata.name}`

describe('the manifests', () => {
  it('the manifests conform to the schemas of Kubernetes without unknown keys', {
    timeout: FETCH_TIMEOUT_MS,
  }, async (context) => {
    const python = await need('kubernetesValidate', context)
    const folder = mkdtempSync(join(tmpdir(), 'bigtech-k8s-'))
    const made = join(folder, 'secrets.yaml')
    writeFileSync(made, printed('make-secrets.mjs'))
    const args = ['-m', 'kubernetes_validate', '--strict', '--quiet', ...manifestFiles, made]
    const result = spawnSync(python, args, { cwd: root, encoding: 'utf8' })
    rmSync(folder, { recursive: true })
    expect(result.stdout + result.stderr).toBe('')
    expect(result.status).toBe(0)
  })

  it('the manifests are all in the namespace bigtech-chat, each name once', () => {
    const outside = resources.filter(
      (resource) => resource.kind !== 'Namespace' && resource.metadata.namespace !== 'bigtech-chat',
    )
    expect(outside.map(nameOf)).toEqual([])
    const names = resources.map(nameOf)
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })

  it('the manifests are all listed in the README in a valid order', () => {
    const readme = text('k8s/README.md')
    const position = (path: string) => readme.indexOf(path.replace('k8s/manifests/', ''))
    for (const path of manifestFiles) {
      const folder = path.split('/').slice(2, -1).join('/')
      expect(
        Math.max(position(path), folder ? readme.indexOf(`manifests/${folder}/`) : -1),
        path,
      ).toBeGreaterThan(-1)
    }
    const order = [
      'namespace.yaml',
      'secrets.yaml',
      'statefulsets/',
      'jobs/servers.yaml',
      'jobs/migrations.yaml',
      'services/',
    ]
    const positions = order.map((name) => readme.indexOf(`kubectl apply -f k8s/manifests/${name}`))
    expect(positions).toEqual([...positions].sort((a, b) => a - b))
    expect(positions.every((index) => index >= 0)).toBe(true)
  })

  it('the manifests run every container with a fixed version and without privileges', () => {
    for (const workload of workloads) {
      const pod = podOf(workload).spec
      expect(pod.securityContext?.runAsNonRoot, nameOf(workload)).toBe(true)
      expect(pod.securityContext?.seccompProfile?.type, nameOf(workload)).toBe('RuntimeDefault')
      expect(pod.automountServiceAccountToken, nameOf(workload)).toBe(false)
      for (const container of pod.containers) {
        expect(container.image, nameOf(workload)).toMatch(/:\d[\w.-]*(@sha256:[0-9a-f]{64})?$/)
        expect(container.securityContext?.allowPrivilegeEscalation, nameOf(workload)).toBe(false)
        expect(container.securityContext?.capabilities?.drop, nameOf(workload)).toEqual(['ALL'])
        expect(container.resources?.limits?.memory, nameOf(workload)).toBeTruthy()
        expect(container.resources?.requests?.cpu, nameOf(workload)).toBeTruthy()
      }
    }
    const writable = workloads.filter((workload) =>
      podOf(workload).spec.containers.some(({ securityContext }) => !securityContext?.readOnlyRootFilesystem),
    )
    expect(writable.map(nameOf)).toEqual(['StatefulSet kafka'])
  })

  it('the manifests refer only to existing ConfigMaps, Secrets and accounts', () => {
    for (const workload of workloads) {
      const { containers, volumes } = podOf(workload).spec
      for (const container of containers)
        expect(() => environmentOf(container), nameOf(workload)).not.toThrow()
      for (const { secret, configMap } of volumes ?? []) {
        if (secret) expect(() => named('Secret', secret.secretName)).not.toThrow()
        if (configMap) expect(() => named('ConfigMap', configMap.name)).not.toThrow()
      }
    }
    for (const service of ofKind('Service')) {
      const target = workloads.find(
        (workload) => appOf(podOf(workload).metadata.labels) === appOf(service.spec.selector),
      )
      expect(target, nameOf(service)).toBeTruthy()
    }
  })

  it('the manifests contain no plain-text secret', () => {
    for (const secret of ofKind('Secret')) {
      for (const [key, value] of Object.entries(secret.stringData ?? {})) {
        const bare = value.replaceAll(
          /CHANGE_ME|[a-z]+:\/\/|[\w.-]*:?CHANGE_ME@|\w+(?:_service(?:_owner)?)/g,
          '',
        )
        expect(bare, `${secret.metadata.name}.${key}`).not.toMatch(/[0-9a-f]{16}|BEGIN/)
      }
    }
    expect(text('k8s/.gitignore')).toContain('manifests/secrets.yaml')
  })
})

describe('make-secrets.mjs', () => {
  it("make-secrets.mjs prints the example's secrets with distinct, random passwords", () => {
    const shape = (objects: Resource[]) =>
      objects.map(({ metadata, stringData }) => [metadata.name, Object.keys(stringData ?? {})])
    const parse = (output: string) =>
      output
        .split('---\n')
        .filter(Boolean)
        .map((document) => JSON.parse(document) as Resource)
    const [first, second] = [parse(printed('make-secrets.mjs')), parse(printed('make-secrets.mjs'))]
    expect(shape(first)).toEqual(shape(ofKind('Secret')))
    const passwords = (objects: Resource[]) =>
      objects.flatMap(({ stringData }) =>
        Object.entries(stringData ?? {}).flatMap(([key, value]) =>
          // A service's copy of its Kafka password equals the brokers'.
          /(PASSWORD|KEY|TOKEN)$/.test(key) && key !== 'KAFKA_PASSWORD' && value && value !== 'CHANGE_ME'
            ? [value]
            : [],
        ),
      )
    expect(new Set([...passwords(first), ...passwords(second)]).size).toBe(2 * passwords(first).length)
    const mysql = first.find(({ metadata }) => metadata.name === 'mysql')?.stringData
    const service = first.find(({ metadata }) => metadata.name === 'chat-service')?.stringData
    expect(service?.DATABASE_URL).toContain(`chat_service:${mysql?.MYSQL_CHAT_PASSWORD}@`)
    const kafka = first.find(({ metadata }) => metadata.name === 'kafka')?.stringData
    expect(service?.KAFKA_PASSWORD).toBe(kafka?.KAFKA_CHAT_PASSWORD)
  })
})

describe.each(deployments.map((resource) => [resource.metadata.name, resource] as const))(
  '%s in Kubernetes',
  (name, resource) => {
    const pod = podOf(resource).spec
    const container = pod.containers[0] as (typeof pod.containers)[number]

    it('a deployment has probes for liveness at /live and readiness at /ready', () => {
      expect(container.livenessProbe?.httpGet?.path).toBe('/live')
      expect(container.startupProbe?.httpGet?.path).toBe('/live')
      expect(container.readinessProbe?.httpGet?.path).toBe('/ready')
    })

    it('a deployment has enough time to drain its streams', () => {
      const pause = container.lifecycle?.preStop?.sleep?.seconds ?? 0
      // The endpoint must be removed before the service stops listening.
      expect(pause).toBeGreaterThanOrEqual(5)
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(pause + DRAIN_SECONDS + 5)
    })

    it('a deployment is spread over nodes, scaled from 2 to 10 at 70 % CPU, and never drained completely', () => {
      expect(pod.topologySpreadConstraints).toHaveLength(2)
      expect(resource.spec.replicas).toBeUndefined()
      const { minReplicas, maxReplicas, metrics, scaleTargetRef } = named(
        'HorizontalPodAutoscaler',
        name,
      ).spec
      expect([minReplicas, maxReplicas, scaleTargetRef?.name]).toEqual([2, 10, name])
      expect(metrics).toContainEqual({
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
      })
      // An unavailable metric would prevent scaling down where its adapter is missing.
      expect(metrics?.every((metric) => (metric as { type: string }).type === 'Resource')).toBe(true)
      expect(JSON.stringify(metrics).includes('memory')).toBe(name === 'chat-service')
      expect(named('PodDisruptionBudget', name).spec).toMatchObject({ maxUnavailable: 1 })
    })
  },
)

describe('Kong', () => {
  it('Kong is scaled by its memory too, because idle streams take no CPU', () => {
    const { metrics } = named('HorizontalPodAutoscaler', 'kong').spec
    expect(metrics).toContainEqual({
      type: 'Resource',
      resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '600Mi' } },
    })
    const { limits } = podOf(named('Deployment', 'kong')).spec.containers[0]?.resources ?? {}
    expect(Number.parseInt(limits?.memory ?? '', 10)).toBeGreaterThan(600)
  })
})

describe('the web client', () => {
  it('the web client is spread over nodes and never drained completely', () => {
    const { spec } = podOf(named('Deployment', 'web-client'))
    expect(spec.topologySpreadConstraints).toHaveLength(2)
    expect(named('PodDisruptionBudget', 'web-client').spec).toMatchObject({ maxUnavailable: 1 })
  })
})

describe('MySQL', () => {
  it('MySQL expires its binary log after days, before the volume is full, in Compose and in Kubernetes', () => {
    for (const file of ['docker-compose.msa.yml', 'k8s/manifests/statefulsets/mysql.yaml'])
      expect(text(file), file).toContain('--binlog-expire-logs-seconds=259200')
  })

  it('MySQL ends the session of a process that hangs, and with it the locks of its transaction, after 30 s', () => {
    for (const file of [
      'docker-compose.msa.yml',
      'k8s/manifests/statefulsets/mysql.yaml',
      'k8s/overlays/small/stores.yaml',
    ])
      expect(text(file), file).toContain('--wait-timeout=30')
  })
})

describe('the network policies', () => {
  const policies = ofKind('NetworkPolicy')
  const ownPolicies = policies.filter(({ spec }) => spec.podSelector?.matchLabels)
  const peers = (rules: Array<{ ports: Array<{ port: number }> }> | undefined, key: 'from' | 'to') =>
    (rules ?? []).flatMap((rule) =>
      (
        (rule as Record<string, unknown>)[key] as Array<{
          podSelector?: { matchLabels: Record<string, string> }
        }>
      ).flatMap((peer) =>
        peer.podSelector
          ? rule.ports.map(({ port }) => `${appOf(peer.podSelector?.matchLabels)}:${port}`)
          : [],
      ),
    )

  it('the network policies deny by default, and select every pod', () => {
    const deny = policies.find(({ metadata }) => metadata.name === 'default-deny')
    expect(deny?.spec.podSelector).toEqual({})
    expect(deny?.spec.policyTypes).toEqual(['Ingress', 'Egress'])
    const covered = ownPolicies.map(({ spec }) => appOf(spec.podSelector?.matchLabels))
    const pods = workloads.map((workload) => appOf(podOf(workload).metadata.labels))
    expect(pods.filter((pod) => !covered.includes(pod))).toEqual([])
    expect(covered.filter((pod) => !pods.includes(pod))).toEqual([])
  })

  it('the network policies allow every pod DNS queries to the cluster and the node-local cache', () => {
    const dns = policies.find(({ metadata }) => metadata.name === 'dns')?.spec
    expect(dns?.podSelector).toEqual({})
    expect(JSON.stringify(dns?.egress)).toContain('"kube-system"')
    expect(JSON.stringify(dns?.egress)).toContain('"169.254.20.10/32"')
  })

  it('the network policies open each connection on both of its sides', () => {
    const out = ownPolicies.flatMap(({ metadata, spec }) =>
      peers(spec.egress, 'to').map((target) => `${metadata.name} -> ${target}`),
    )
    const into = ownPolicies.flatMap(({ metadata, spec }) =>
      peers(spec.ingress, 'from').map((source) => {
        const [caller, port] = source.split(':')
        return `${caller} -> ${metadata.name}:${port}`
      }),
    )
    expect([...new Set(out)].sort()).toEqual([...new Set(into)].sort())
  })

  it("the network policies allow ingress to services from the gateway and peers only, and no access to another service's store", () => {
    const callers = (name: string) =>
      peers(named('NetworkPolicy', name).spec.ingress, 'from').map((peer) => peer.split(':')[0])
    expect(
      callers('mongodb')
        .filter((caller) => caller !== 'mongodb')
        .sort(),
    ).toEqual(['chat-service', 'mongodb-accounts', 'mongodb-backup'])
    expect(callers('redis').sort()).toEqual(['chat-service', 'user-service'])
    for (const name of serviceDeployments) {
      expect(
        callers(name).filter((caller) => caller !== 'kong' && !serviceDeployments.includes(caller as string)),
      ).toEqual([])
    }
  })
})
