import { spawnSync } from 'node:child_process'
import { basename, join } from 'node:path'
import { filesBelow, root, text, yaml, yamlDocuments } from './files.ts'

export interface Probe {
  httpGet?: { path: string }
  periodSeconds?: number
  timeoutSeconds?: number
  failureThreshold?: number
}

export interface Container {
  name: string
  image: string
  env?: Array<{ name: string; value?: string; valueFrom?: { secretKeyRef: { name: string; key: string } } }>
  envFrom?: Array<{ configMapRef?: { name: string }; secretRef?: { name: string } }>
  ports?: Array<{ name: string; containerPort: number }>
  startupProbe?: Probe
  livenessProbe?: Probe
  readinessProbe?: Probe
  lifecycle?: { preStop?: { sleep?: { seconds: number } } }
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> }
  volumeMounts?: Array<{ name: string; mountPath: string }>
  securityContext?: {
    allowPrivilegeEscalation?: boolean
    readOnlyRootFilesystem?: boolean
    capabilities?: { drop?: string[] }
  }
}

export interface Pod {
  metadata: { labels: Record<string, string> }
  spec: {
    containers: Container[]
    terminationGracePeriodSeconds?: number
    automountServiceAccountToken?: boolean
    securityContext?: { runAsNonRoot?: boolean; runAsUser?: number; seccompProfile?: { type: string } }
    topologySpreadConstraints?: unknown[]
    volumes?: Array<{ name: string; secret?: { secretName: string }; configMap?: { name: string } }>
  }
}

interface Peer {
  podSelector?: { matchLabels: Record<string, string> }
  ipBlock?: { cidr: string }
}

export interface Resource {
  kind: string
  metadata: {
    name: string
    namespace?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
  data?: Record<string, string>
  stringData?: Record<string, string>
  spec: {
    replicas?: number
    strategy?: { rollingUpdate?: { maxSurge: number; maxUnavailable: number } }
    template?: Pod
    jobTemplate?: { spec: { template: Pod } }
    selector?: Record<string, string> & { matchLabels?: Record<string, string> }
    ports?: Array<{ port: number; targetPort?: string }>
    scaleTargetRef?: { kind: string; name: string }
    minReplicas?: number
    maxReplicas?: number
    metrics?: unknown[]
    podSelector?: {
      matchLabels?: Record<string, string>
      matchExpressions?: Array<{ key: string; operator: string; values: string[] }>
    }
    policyTypes?: string[]
    ingress?: Array<{ from?: Peer[]; ports: Array<{ port: number }> }>
    egress?: Array<{ to?: Peer[]; ports: Array<{ port: number }> }>
  }
}

export const manifestFiles = filesBelow('k8s/manifests', '.yaml').filter(
  (path) => !path.endsWith('/secrets.yaml') && !path.endsWith('/kustomization.yaml'),
)

/** Returns the output of a script in k8s/. */
export function printed(script: string, ...args: string[]): string {
  const result = spawnSync(process.execPath, [join(root, 'k8s', script), ...args], { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(result.stderr)
  return result.stdout
}

interface Generators {
  configMapGenerator: Array<{ name: string; files: string[] }>
  namespace: string
}

/** Generates the ConfigMaps of infrastructure/docker/kustomization.yaml without Kustomize. */
function generatedConfigMaps(): Resource[] {
  const { configMapGenerator, namespace } = yaml<Generators>('infrastructure/docker/kustomization.yaml')
  return configMapGenerator.map(({ name, files }) => {
    const contents = files.map((entry) => {
      const [key, path = key] = entry.split('=') as [string, string?]
      return [basename(key), text(join('infrastructure/docker', path))]
    })
    return {
      kind: 'ConfigMap',
      metadata: { name, namespace },
      data: Object.fromEntries(contents),
      spec: {},
    }
  })
}

/** Every applied object: the manifests, and the generated ConfigMaps. */
export const resources: Resource[] = [
  ...manifestFiles.flatMap((path) => yamlDocuments<Resource>(text(path))),
  ...generatedConfigMaps(),
]

export const ofKind = (...kinds: string[]): Resource[] =>
  resources.filter((resource) => kinds.includes(resource.kind))

export function named(kind: string, name: string, among: readonly Resource[] = resources): Resource {
  const found = among.find((resource) => resource.kind === kind && resource.metadata.name === name)
  if (!found) throw new Error(`no ${kind} ${name}`)
  return found
}

export const workloads = ofKind('Deployment', 'StatefulSet', 'Job', 'CronJob')

export const podOf = ({ spec }: Resource): Pod => (spec.jobTemplate?.spec.template ?? spec.template) as Pod

export const appOf = (labels: Record<string, string> | undefined): string =>
  labels?.['app.kubernetes.io/name'] ?? ''

/** Returns a container's environment from its own list, the ConfigMaps and the (example) Secrets. */
export function environmentOf(
  container: Container,
  among: readonly Resource[] = resources,
): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef) Object.assign(environment, named('ConfigMap', configMapRef.name, among).data)
    if (secretRef) Object.assign(environment, named('Secret', secretRef.name, among).stringData)
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const key = valueFrom?.secretKeyRef
    const content = key ? named('Secret', key.name, among).stringData?.[key.key] : value
    if (content === undefined) throw new Error(`${container.name}: ${name} has no value`)
    environment[name] = content
  }
  return environment
}
