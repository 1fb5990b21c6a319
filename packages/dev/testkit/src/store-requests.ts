interface Sample {
  readonly metricName?: string
  readonly labels: object
  readonly value: number
}

/** The used part of a service's metrics. */
interface Metrics {
  getSingleMetric(name: string): { get(): Promise<{ values: readonly Sample[] }> } | undefined
}

/**
 * Returns the number of store requests made by `work`, as `{"mysql findOwn": 1}`, for tests that guarantee
 * the cost of a request.
 *
 * @param background matches operations of periodic jobs, such as `mysql inbox_purge`, which may run
 * meanwhile and are ignored
 */
export async function storeRequests(
  registry: Metrics,
  background: RegExp,
  work: () => Promise<unknown>,
): Promise<Record<string, number>> {
  const before = await countsOf(registry)
  await work()
  const after = await countsOf(registry)
  const more = [...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const)
  return Object.fromEntries(more.filter(([name, count]) => count > 0 && !background.test(name)))
}

async function countsOf(registry: Metrics): Promise<Map<string, number>> {
  const metric = await registry.getSingleMetric('store_request_duration_seconds')?.get()
  return new Map(
    (metric?.values ?? [])
      .filter(({ metricName }) => metricName?.endsWith('_count'))
      .map(({ labels, value }) => [Object.values(labels).join(' '), value]),
  )
}
