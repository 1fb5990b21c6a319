import { LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components'
import { type EChartsCoreOption, init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import type { Dashboard, Panel } from '../ops/queries.ts'

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer])

/** One line of a panel. */
export interface Series {
  readonly name: string
  /** Milliseconds since the epoch, and the value. */
  readonly points: readonly (readonly [number, number])[]
}

/** Grafana's grid has 24 columns. */
const COLUMN_PX = 50
const ROW_PX = 26
const GAP_PX = 6
const WIDTH_PX = 24 * COLUMN_PX
const MOST_LEGEND_ENTRIES = 8

/** Draws a dashboard as SVG in Grafana's layout. @param seriesOf the lines of a panel, or why it has none */
export function drawDashboard(
  dashboard: Dashboard,
  seriesOf: (panel: Panel) => readonly Series[] | string,
): string {
  const height = Math.max(...dashboard.panels.map(({ gridPos: { y, h } }) => y + h)) * ROW_PX
  const panels = dashboard.panels.map((panel) => drawPanel(panel, seriesOf(panel)))
  const background = `<rect width="${WIDTH_PX}" height="${height}" fill="#f4f5f5"/>`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH_PX}" height="${height}" viewBox="0 0 ${WIDTH_PX} ${height}">${background}${panels.join('')}</svg>\n`
}

function drawPanel(panel: Panel, series: readonly Series[] | string): string {
  const { x, y, w, h } = panel.gridPos
  const [width, height] = [w * COLUMN_PX - GAP_PX, h * ROW_PX - GAP_PX]
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  chart.setOption({
    animation: false,
    backgroundColor: panel.type === 'row' ? 'none' : '#fff',
    ...contentOf(panel, series),
  })
  const svg = chart.renderToSVGString().replaceAll(/(\.\d\d)\d+/g, '$1')
  chart.dispose()
  return svg.replace('<svg ', `<svg x="${x * COLUMN_PX + GAP_PX / 2}" y="${y * ROW_PX + GAP_PX / 2}" `)
}

function contentOf(panel: Panel, series: readonly Series[] | string): EChartsCoreOption {
  const heading = { text: panel.title, left: 8, top: 5, textStyle: { fontSize: 12, fontWeight: 500 } }
  const unit = panel.fieldConfig?.defaults.unit
  if (panel.type === 'row') return { title: { ...heading, left: 0, top: 0 } }
  if (typeof series === 'string') return { title: { ...heading, subtext: series } }
  if (panel.type === 'stat') {
    const value = series[0]?.points.at(-1)?.[1]
    const figure = value === undefined ? 'no data' : withUnit(value, unit)
    return { title: { ...heading, subtext: figure, subtextStyle: { fontSize: 24, color: '#1a7f4b' } } }
  }
  return { title: heading, ...linesOf(series, unit) }
}

function linesOf(series: readonly Series[], unit: string | undefined): EChartsCoreOption {
  const text = { fontSize: 10 }
  return {
    grid: { left: 60, right: 12, top: 30, bottom: 42 },
    legend: {
      type: 'scroll',
      bottom: 2,
      left: 8,
      itemWidth: 10,
      itemHeight: 3,
      itemGap: 16,
      icon: 'rect',
      textStyle: text,
      data: series.slice(0, MOST_LEGEND_ENTRIES).map(({ name }) => name),
    },
    xAxis: { type: 'time', axisLabel: { ...text, hideOverlap: true }, splitNumber: 4 },
    yAxis: { type: 'value', axisLabel: { ...text, formatter: (value: number) => withUnit(value, unit) } },
    series: series.map(({ name, points }) => ({
      type: 'line',
      name,
      data: points,
      showSymbol: false,
      lineStyle: { width: 1 },
    })),
  }
}

/** Units of Grafana that the dashboards use, as suffixes. */
const suffixes: Record<string, string> = { percentunit: '%', s: 's', bytes: 'B', reqps: '/s', ops: '/s' }
const prefixes = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
  [1, ''],
  [1e-3, 'm'],
  [1e-6, 'µ'],
] as const

/** Formats a value with its unit, such as "1.2 MB" or "340 ms". */
function withUnit(value: number, unit: string | undefined): string {
  const suffix = suffixes[unit ?? ''] ?? ''
  if (suffix === '%') return `${rounded(value * 100)} %`
  // Only seconds have thousandths, and no thousands.
  const known = prefixes.filter(([size]) => (suffix === 's' ? size <= 1 : size >= 1))
  const [size, prefix] = known.find(([each]) => Math.abs(value) >= each) ?? [1, '']
  return `${rounded(value / size)} ${prefix}${suffix}`.trim()
}

const rounded = (value: number) => String(Number(value.toPrecision(3)))
