import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse, stringify } from 'yaml'
import { ensureArtefact } from '../fetch/artefact.ts'
import { triplet, unpackDebian } from '../fetch/debian.ts'
import { buildGo } from '../fetch/go.ts'
import { giveToServers, type Instance, serverFolder } from '../instance.ts'
import { findProgram } from '../paths.ts'
import type { Ports } from '../ports.ts'
import { isOk } from '../readiness.ts'
import { GATEWAY_ORDER, services } from '../services.ts'
import { type Server, type ServerContext, serverDefaults } from './server.ts'

interface ScrapeJob {
  job_name: string
  static_configs: Array<{ targets: string[]; labels?: Record<string, string> }>
  [setting: string]: unknown
}

interface PrometheusConfig {
  rule_files?: string[]
  scrape_configs: ScrapeJob[]
  [setting: string]: unknown
}

/** Returns the local targets of the Compose file's jobs. Jobs that do not run locally are dropped. */
function localTargets(ports: Ports): Record<string, ScrapeJob['static_configs']> {
  const target = (port: number, labels: Record<string, string>) => ({
    targets: [`127.0.0.1:${port}`],
    labels,
  })
  const behind = services.filter((service) => service.order !== GATEWAY_ORDER)
  return {
    services: behind.map(({ name, port }) => target(ports[port], { service: name })),
    gateway: [target(ports.gatewayAdmin, { service: 'gateway' })],
    observability: [
      target(ports.prometheus, { server: 'prometheus' }),
      target(ports.alertmanager, { server: 'alertmanager' }),
    ],
  }
}

/** Returns the images' configuration with local addresses: intervals, rules and labels are unchanged. */
export function localConfig(text: string, ports: Ports, folder: string): string {
  const config = parse(text) as PrometheusConfig
  const targets = localTargets(ports)
  const jobs = config.scrape_configs.flatMap((job) => {
    const own = targets[job.job_name]
    if (!own) return []
    const settings = Object.entries(job).filter(([key]) => !/_sd_configs$|^relabel_configs$/.test(key))
    return [{ ...Object.fromEntries(settings), static_configs: own }]
  })
  return stringify({
    ...config,
    rule_files: (config.rule_files ?? []).map((file) => join(folder, file)),
    alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${ports.alertmanager}`] }] }] },
    scrape_configs: jobs,
  })
}

/** Unpacks Prometheus only, a static program; its package's dependencies are for the system service. */
async function prometheusProgram(cacheFolder: string): Promise<string> {
  const installed = findProgram('prometheus')
  if (installed) return installed
  const folder = await ensureArtefact(cacheFolder, {
    name: `prometheus-${triplet()}`,
    title: 'Prometheus: package',
    fill: (part, say) => {
      const otherwise = '--observability needs Prometheus: install prometheus, or Docker.'
      const packages = ['prometheus']
      return unpackDebian(part, { packages, isWanted: (name) => packages.includes(name), otherwise }, say)
    },
  })
  return join(folder, 'usr/bin/prometheus')
}

const alertmanagerVersion = '0.28.1'

/** Builds Alertmanager: Debian's reads its templates from /usr/share, so an unpacked one cannot run. */
export async function alertmanagerProgram(cacheFolder: string): Promise<string> {
  const installed = findProgram('prometheus-alertmanager') ?? findProgram('alertmanager')
  if (installed) return installed
  const folder = await ensureArtefact(cacheFolder, {
    name: `alertmanager-${alertmanagerVersion}-${process.arch}`,
    title: `Alertmanager ${alertmanagerVersion}: Go build`,
    fill: (part, say) =>
      buildGo(
        part,
        {
          title: 'Alertmanager',
          module: 'github.com/prometheus/alertmanager/cmd/alertmanager',
          version: `v${alertmanagerVersion}`,
          modules: 90,
          packages: 500,
        },
        say,
      ),
  })
  return join(folder, 'alertmanager')
}

function place(instance: Instance, server: string, name: string, content: string): string {
  const file = join(serverFolder(instance, server), name)
  writeFileSync(file, content)
  giveToServers(instance, file)
  return file
}

const DATA_KEPT = '3d'

/** Reads rules from a copy, because the servers' account may not have access to the checkout. */
export const prometheus: Server = {
  title: 'Prometheus',
  async prepare(context) {
    const { instance } = context
    const source = join(instance.root, 'infrastructure/docker/prometheus/prometheus.yml')
    const command = await prometheusProgram(instance.cacheFolder)
    const folder = serverFolder(instance, 'prometheus')
    cpSync(join(dirname(source), 'rules'), join(folder, 'rules'), { recursive: true })
    const config = place(
      instance,
      'prometheus',
      'prometheus.yml',
      localConfig(readFileSync(source, 'utf8'), instance.ports, folder),
    )
    const url = `http://127.0.0.1:${instance.ports.prometheus}`
    return [
      observer(context, 'prometheus', command, url, [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(dirname(config), 'data')}`,
        `--storage.tsdb.retention.time=${DATA_KEPT}`,
        `--web.listen-address=127.0.0.1:${instance.ports.prometheus}`,
      ]),
    ]
  },
}

export const alertmanager: Server = {
  title: 'Alertmanager',
  async prepare(context) {
    const { instance } = context
    const source = join(instance.root, 'infrastructure/docker/alertmanager/alertmanager.yml')
    const text = existsSync(source)
      ? readFileSync(source, 'utf8')
      : 'route: { receiver: none }\nreceivers: [{ name: none }]\n'
    const command = await alertmanagerProgram(instance.cacheFolder)
    const config = place(
      instance,
      'alertmanager',
      'alertmanager.yml',
      text.replaceAll('mailpit:1025', `127.0.0.1:${instance.ports.smtp}`),
    )
    const url = `http://127.0.0.1:${instance.ports.alertmanager}`
    return [
      observer(context, 'alertmanager', command, url, [
        `--config.file=${config}`,
        `--storage.path=${join(dirname(config), 'data')}`,
        `--web.listen-address=127.0.0.1:${instance.ports.alertmanager}`,
        '--cluster.listen-address=',
      ]),
    ]
  },
}

function observer(context: ServerContext, name: string, command: string, url: string, args: string[]) {
  return {
    ...serverDefaults(context),
    name,
    command,
    args,
    cwd: join(context.instance.dataFolder, name),
    port: Number(new URL(url).port),
    url,
    isReady: () => isOk(`${url}/-/ready`),
  }
}
