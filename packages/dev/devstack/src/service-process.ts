import { join } from 'node:path'
import { serviceEnvironment } from './environment.ts'
import type { Instance, Passwords } from './instance.ts'
import { UserError } from './problems.ts'
import type { ProcessSpec } from './process.ts'
import { isOk } from './readiness.ts'
import { presentServices, type ServiceRow } from './services.ts'

/** Port distance between copies of a service: chat-service#2 listens on 8102. */
const COPY_PORT_STEP = 100

/** Tracing must be loaded before the instrumented libraries; without a collector it loads nothing. */
const nodeOptions = [
  '--disable-warning=TimeoutNegativeWarning',
  // Same as in the image.
  '--max-semi-space-size=16',
  '--import',
  '@bigtech/service-kit/tracing',
]

/** Describes a service of this checkout; `copy` 2 and more are further processes of it. */
export function serviceProcess(
  service: ServiceRow,
  instance: Instance,
  passwords: Passwords,
  copy = 1,
): ProcessSpec {
  const port = instance.ports[service.port] + (copy - 1) * COPY_PORT_STEP
  const readyUrl = `http://127.0.0.1:${service.adminPort ? instance.ports[service.adminPort] : port}/ready`
  return {
    name: copy === 1 ? service.name : `${service.name}#${copy}`,
    command: process.execPath,
    args: [...nodeOptions, join(instance.root, service.folder, service.entry)],
    cwd: join(instance.root, service.folder),
    env: {
      ...inherited(),
      // Compiled modules of earlier starts: halves the CPU time of loading a service.
      NODE_COMPILE_CACHE: join(instance.root, '.devstack', 'compile-cache'),
      ...serviceEnvironment(service, instance, passwords, port),
    },
    port,
    url: `http://127.0.0.1:${port}`,
    isReady: () => isOk(readyUrl),
    readyUrl,
    readyWithinMs: 60_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 30_000,
    order: service.order,
    isShown: true,
  }
}

/** Returns the inherited variables: a DATABASE_URL of the user's shell must not reach the services. */
function inherited(): NodeJS.ProcessEnv {
  const kept = [
    'PATH',
    'HOME',
    'USER',
    'LANG',
    'LC_ALL',
    'TZ',
    'TMPDIR',
    'NODE_OPTIONS',
    'NODE_EXTRA_CA_CERTS',
  ]
  const more = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG']
  return Object.fromEntries(
    [...kept, ...more].map((name) => [name, process.env[name]]).filter(([, value]) => value),
  )
}

/** Describes "chat-service" or "chat-service#2". */
export function processFor(name: string, instance: Instance, passwords: Passwords): ProcessSpec {
  const [base, number = '1'] = name.split('#')
  const service = presentServices(instance.root).find((row) => row.name === base)
  const copy = Number(number)
  if (!service || !Number.isInteger(copy) || copy < 1 || copy > 9 || (copy > 1 && service.adminPort))
    throw new UserError(`There is no process "${name}".`)
  return serviceProcess(service, instance, passwords, copy)
}
