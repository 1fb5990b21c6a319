import { openInstance } from '@bigtech/devstack'
import type { Panel } from '../ops/queries.ts'
import type { Series } from './draw.ts'

const prometheus = `http://127.0.0.1:${openInstance('dev').ports.prometheus}`
const RANGE_SECONDS = 15 * 60
const STEP_SECONDS = 15

/** Asks Prometheus. @throws Error with the query when Prometheus rejects it */
export async function ask<Result>(
  path: 'query' | 'query_range',
  fields: Record<string, string>,
): Promise<Result[]> {
  const response = await fetch(`${prometheus}/api/v1/${path}?${new URLSearchParams(fields)}`)
  const { data, error } = (await response.json()) as { data?: { result: Result[] }; error?: string }
  if (!data) throw new Error(`${fields.query}: ${error}`)
  return data.result
}

/** Returns the lines of a panel in the last 15 minutes. */
export async function readSeries({ targets = [] }: Panel): Promise<Series[]> {
  const own = targets.filter(({ datasource }) => datasource.uid === 'prometheus')
  const end = Math.floor(Date.now() / 1_000)
  const range = { start: String(end - RANGE_SECONDS), end: String(end), step: String(STEP_SECONDS) }
  const answers = await Promise.all(
    own.map(async ({ expr, legendFormat = '' }) => {
      const rows = await ask<{ metric: Record<string, string>; values: [number, string][] }>('query_range', {
        query: expr,
        ...range,
      })
      return rows.map(({ metric, values }) => ({
        name: legendFormat.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_all, label: string) => metric[label] ?? ''),
        points: values
          .map(([seconds, value]) => [seconds * 1_000, Number(value)] as const)
          .filter(([, value]) => Number.isFinite(value)),
      }))
    }),
  )
  return answers.flat().filter(({ points }) => points.length > 0)
}
