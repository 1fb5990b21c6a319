/** A figure that a run has measured: a server's in a row. */
export interface Figure {
  readonly perSecond?: number
  /** Milliseconds. */
  readonly p50?: number
  readonly p99?: number
  /** CPU of the server per operation, in microseconds. */
  readonly cpuUs?: number
  /** Per stream. */
  readonly kib?: number
  readonly cpuMsPerSecond?: number
  /** Share of the deliveries that arrived. */
  readonly delivered?: number
}

/** The figures of each row, by name of the server. */
export type Figures = ReadonlyMap<string, ReadonlyMap<string, Figure>>

export interface Aim {
  readonly row: string
  readonly what: keyof Figure
  /** A server of the same row, or one of our own figures; without it the limit is absolute. */
  readonly beside?: { readonly server: string; readonly row?: string; readonly what?: keyof Figure }
  /** Added to the figure beside which ours is held. */
  readonly plus?: number
  readonly atLeast?: number
  readonly atMost?: number
}

const UNITS: Readonly<Record<keyof Figure, string>> = {
  perSecond: 'a second',
  p50: 'p50, ms',
  p99: 'p99, ms',
  cpuUs: 'CPU, µs',
  kib: 'KiB each',
  cpuMsPerSecond: 'CPU, ms/s',
  delivered: 'delivered',
}

const digits = (value: number) => value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0)

/**
 * Returns a table of the aims in Markdown: our figure, the one beside it, their ratio, and whether the aim is met. An aim whose peer could
 * not be had has no ratio.
 */
export function aimsTable(aims: readonly Aim[], figures: Figures, ours: string): string {
  const lines = aims.map((aim) => {
    const own = figures.get(aim.row)?.get(ours)?.[aim.what]
    const { server, row = aim.row, what = aim.what } = aim.beside ?? {}
    const found = server === undefined ? 1 : figures.get(row)?.get(server)?.[what]
    const other = found === undefined ? undefined : found + (aim.plus ?? 0)
    const ratio = own === undefined || other === undefined ? undefined : own / other
    const limit = aim.atLeast ?? aim.atMost!
    const isMet =
      ratio === undefined ? undefined : aim.atLeast === undefined ? ratio <= limit : ratio >= limit
    const sign = aim.atLeast === undefined ? '≤' : '≥'
    const otherText = other === undefined ? 'not measured' : digits(other)
    const beside = server === undefined ? '' : `${describe(aim)} ${otherText}`
    const wanted = `${sign} ${limit}${server === undefined ? '' : ' x'}`
    return `| ${aim.row} | ${UNITS[aim.what]} | ${own === undefined ? '' : digits(own)} | ${beside} | ${ratio === undefined || server === undefined ? '' : ratio.toFixed(2)} | ${wanted} | ${isMet === undefined ? '' : isMet ? 'yes' : 'no'} |`
  })
  return `| row | figure | ${ours} | beside it | ratio | aim | met |\n|---|---|---|---|---|---|---|\n${lines.join('\n')}`
}

function describe({ beside, plus, what }: Aim): string {
  if (!beside) return ''
  const { server, row, what: other = what } = beside
  const of =
    other === what && row === undefined ? '' : ` ${UNITS[other]}${row === undefined ? '' : ` of "${row}"`}`
  return `${server}${of}${plus === undefined ? '' : ` + ${plus}`}:`
}

/** Returns a table of all figures in Markdown. */
export function figuresTable(figures: Figures): string {
  const text = (value: number | undefined) =>
    value === undefined || Number.isNaN(value) ? '' : digits(value)
  const lines = [...figures].flatMap(([row, servers]) =>
    [...servers].map(([server, f]) => {
      const latency = f.p50 === undefined ? '' : `${text(f.p50)} / ${text(f.p99)}`
      const delivered = f.delivered === undefined ? '' : `${(f.delivered * 100).toFixed(2)} %`
      return `| ${row} | ${server} | ${text(f.perSecond)} | ${latency} | ${text(f.cpuUs)} | ${delivered} | ${text(f.kib)} | ${text(f.cpuMsPerSecond)} |`
    }),
  )
  return `| row | server | a second | p50 / p99, ms | CPU of the server each, µs | delivered | memory each, KiB | idle CPU, ms/s |
|---|---|---|---|---|---|---|---|
${lines.join('\n')}`
}
