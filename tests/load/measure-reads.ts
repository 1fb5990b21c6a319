import { mkdirSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { type Measured, measure } from './measure.ts'

const PHASE_MS = 3_000

export interface Figures extends Measured {
  readonly refused: number
}

/** Measures `once` for 3 s at this concurrency. A call that throws counts as refused. */
export async function measureReads(inFlight: number, once: (n: number) => Promise<void>): Promise<Figures> {
  let refused = 0
  const measured = await measure(inFlight, PHASE_MS, (n) => once(n).catch(() => void refused++))
  return { ...measured, refused }
}

/** Work of the background, for which no request waits. */
const BACKGROUND =
  /outbox\.|heads\.|checkpoint\.|search\.(backfill|insert)|to_publish|by_position|room_activity|presence(Sweep|Count|Waiting|Hold|Release)|lastSeen|profileCacheWrite/

interface Usage {
  readonly cpuSeconds: number
  readonly storeRequests: number
}

/** Returns what the processes have used so far, without background work of the stores. */
export async function usageOf(urls: readonly string[]): Promise<Usage> {
  const texts = await Promise.all(urls.map(async (url) => (await fetch(`${url}/metrics`)).text()))
  const cpuSeconds = texts.reduce(
    (sum, text) => sum + Number(/^process_cpu_seconds_total\S* (\S+)/m.exec(text)?.[1] ?? 0),
    0,
  )
  const storeRequests = texts
    .flatMap((text) => [...text.matchAll(/^store_request_duration_seconds_count\{(.*)\} (\d+)/gm)])
    .filter(([, labels]) => !BACKGROUND.test(labels!))
    .reduce((sum, [, , count]) => sum + Number(count), 0)
  return { cpuSeconds, storeRequests }
}

export interface Row {
  readonly name: string
  readonly once: (n: number) => Promise<void>
  /** The processes whose CPU time and store requests count. */
  readonly processes: readonly string[]
}

export interface MeasuredRow extends Figures {
  readonly inFlight: number
  readonly name: string
  /** Of the services, per request; undefined for a row without processes. */
  readonly cpuUs: number | undefined
  readonly storeRequests: number | undefined
}

/** Measures every row at each concurrency, after a warm-up. */
export async function measureRows(
  rows: readonly Row[],
  concurrencies: readonly number[],
): Promise<MeasuredRow[]> {
  for (const { once } of rows) for (let n = 0; n < 30; n++) await once(n).catch(() => undefined)
  const measured: MeasuredRow[] = []
  for (const inFlight of concurrencies)
    for (const { name, once, processes } of rows) {
      const before = await usageOf(processes)
      const figures = await measureReads(inFlight, once)
      const after = await usageOf(processes)
      const each = (key: keyof Usage) =>
        processes.length > 0 ? (after[key] - before[key]) / figures.count : undefined
      const cpuSeconds = each('cpuSeconds')
      const cpuUs = cpuSeconds && cpuSeconds * 1e6
      measured.push({ ...figures, inFlight, name, cpuUs, storeRequests: each('storeRequests') })
    }
  return measured
}

/** Returns a table in Markdown. */
export function readsTable(measured: readonly MeasuredRow[]): string {
  const lines = measured.map(({ inFlight, name, perSecond, p50, p99, cpuUs, storeRequests, refused }) => {
    const used = `${cpuUs?.toFixed(0) ?? ''} | ${storeRequests?.toFixed(1) ?? ''}`
    return `| ${inFlight} | ${name} | ${perSecond.toFixed(0)} | ${p50.toFixed(1)} / ${p99.toFixed(1)} | ${used} | ${refused} |`
  })
  return `| in flight | what | per second | p50 / p99 ms | CPU of the services, µs | store requests | refused |
|---|---|---|---|---|---|---|
${lines.join('\n')}`
}

/** Returns how many times as often per second the one was read as the other, in the last concurrency. */
export function timesAsOften(measured: readonly MeasuredRow[], name: string, beside: string): number {
  const perSecond = (wanted: string) => measured.findLast((row) => row.name === wanted)!.perSecond
  return perSecond(name) / perSecond(beside)
}

/** Returns the store requests of a row in the first concurrency, in which no reads are shared. */
export function storeRequestsOf(measured: readonly MeasuredRow[], name: string): number {
  return measured.find((row) => row.name === name)!.storeRequests!
}

/**
 * Returns Node's options of a measured service: those of the image, which limit the young generation,
 * and a CPU profile if `LOAD_CPU_PROFILES` names a directory.
 */
export function nodeOptionsOf(name: string): string[] {
  const options = ['--max-semi-space-size=16']
  const folder = process.env.LOAD_CPU_PROFILES
  if (!folder) return options
  mkdirSync(folder, { recursive: true })
  const benchmark = basename(process.argv[1] ?? '', '.ts')
  return [
    ...options,
    '--cpu-prof',
    `--cpu-prof-dir=${resolve(folder)}`,
    `--cpu-prof-name=${benchmark}-${name}.cpuprofile`,
  ]
}
