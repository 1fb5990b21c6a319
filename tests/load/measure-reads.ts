import { mkdirSync } from 'node:fs'
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

/** Measures every row at each concurrency, after a warm-up. Returns a table in Markdown. */
export async function readsTable(rows: readonly Row[], inFlight: readonly number[]): Promise<string> {
  for (const { once } of rows) for (let n = 0; n < 30; n++) await once(n).catch(() => undefined)
  const lines: string[] = []
  for (const concurrency of inFlight)
    for (const { name, once, processes } of rows) {
      const before = await usageOf(processes)
      const { count, perSecond, p50, p99, refused } = await measureReads(concurrency, once)
      const after = await usageOf(processes)
      const cpuUs = (((after.cpuSeconds - before.cpuSeconds) / count) * 1e6).toFixed(0)
      const requests = ((after.storeRequests - before.storeRequests) / count).toFixed(1)
      const used = processes.length > 0 ? `${cpuUs} | ${requests}` : ' | '
      lines.push(
        `| ${concurrency} | ${name} | ${perSecond.toFixed(0)} | ${p50.toFixed(1)} / ${p99.toFixed(1)} | ${used} | ${refused} |`,
      )
    }
  return `| in flight | what | per second | p50 / p99 ms | CPU of the services, µs | store requests | refused |
|---|---|---|---|---|---|---|
${lines.join('\n')}`
}

/** Returns Node's options for a CPU profile of a process, if `LOAD_CPU_PROFILES` names a directory. */
export function profileOptions(name: string): string[] {
  const folder = process.env.LOAD_CPU_PROFILES
  if (!folder) return []
  mkdirSync(folder, { recursive: true })
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.cpuprofile`]
}
