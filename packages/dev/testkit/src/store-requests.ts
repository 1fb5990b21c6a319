interface Sample {
  readonly metricName?: string
  readonly labels: object
  readonly value: number
}

/** The part of a service's metrics that is needed here. */
interface Metrics {
  getSingleMetric(name: string): { get(): Promise<{ values: readonly Sample[] }> } | undefined
}

/**
 * Returns how many requests to stores `work` makes, as `{"mysql findOwn": 1}`: what a request costs is a guarantee that a
 * test can hold.
 *
 * @param background matches the operations of periodic jobs, `mysql inbox_purge` say: they may run meanwhile and are left out
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
