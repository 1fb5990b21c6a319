import { findProgram } from '@bigtech/devstack'
import type { ServiceName } from '../e2e/control.ts'
import { yamlDocuments } from '../ops/files.ts'
import { named, type Probe, podOf, type Resource } from '../ops/kubernetes-model.ts'
import { render } from '../ops/kustomize.ts'
import { toolPath } from '../ops/tools.ts'

/** What the manifests say about the pods of a Deployment. Times in milliseconds. */
export interface Rules {
  readonly service: ServiceName
  readonly replicas: number
  readonly maxSurge: number
  readonly maxUnavailable: number
  readonly startup: ProbeRules
  readonly readiness: ProbeRules
  readonly preStopMs: number
  /** From the deletion of a pod until SIGKILL. */
  readonly graceMs: number
}

export interface ProbeRules {
  readonly path: string
  readonly periodMs: number
  readonly timeoutMs: number
  readonly failureThreshold: number
}

const services = [
  'user-service',
  'friend-service',
  'chat-service',
  'notification-service',
  'analytics-service',
  'media-service',
  'media-worker',
  'analysis-service',
] as const satisfies readonly ServiceName[]

/** Returns the rules of every service in an overlay, as Kustomize renders it. */
export async function readRules(overlay: string): Promise<Rules[]> {
  const program = findProgram('kubectl') ?? (await toolPath('kustomize'))
  const rendered = yamlDocuments<Resource>(render(overlay, program))
  return services.map((service) => rulesOf(service, rendered))
}

function rulesOf(service: ServiceName, rendered: readonly Resource[]): Rules {
  const deployment = named('Deployment', service, rendered)
  const autoscaler = rendered.find(
    ({ kind, metadata }) => kind === 'HorizontalPodAutoscaler' && metadata.name === service,
  )
  const { containers, terminationGracePeriodSeconds } = podOf(deployment).spec
  const { startupProbe, readinessProbe, lifecycle } = containers[0] ?? {}
  const { maxSurge, maxUnavailable } = deployment.spec.strategy?.rollingUpdate ?? {}
  const preStopSeconds = lifecycle?.preStop?.sleep?.seconds
  const replicas = autoscaler?.spec.minReplicas ?? deployment.spec.replicas
  const wanted = { replicas, maxSurge, maxUnavailable, preStopSeconds, terminationGracePeriodSeconds }
  for (const [name, value] of Object.entries(wanted))
    if (typeof value !== 'number') throw new Error(`${service}: the manifests say no ${name}`)
  return {
    service,
    ...(wanted as { replicas: number; maxSurge: number; maxUnavailable: number }),
    startup: probeRules(service, startupProbe),
    readiness: probeRules(service, readinessProbe),
    preStopMs: 1_000 * (preStopSeconds as number),
    graceMs: 1_000 * (terminationGracePeriodSeconds as number),
  }
}

/** Kubernetes' defaults apply to what a probe leaves out. */
function probeRules(service: string, probe: Probe | undefined): ProbeRules {
  if (!probe?.httpGet) throw new Error(`${service}: a probe has no path`)
  const { periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 } = probe
  return {
    path: probe.httpGet.path,
    periodMs: 1_000 * periodSeconds,
    timeoutMs: 1_000 * timeoutSeconds,
    failureThreshold,
  }
}
