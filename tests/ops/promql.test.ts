import { describe, expect, it } from 'vitest'
import { partsOf } from './promql.ts'

describe('taking a query apart', () => {
  it.each([
    ['up == 0', ['up'], []],
    [
      'sum by (service, le) (rate(a_total{status=~"5..", x!=\'}\'}[5m]))',
      ['a_total'],
      ['le', 'service', 'status', 'x'],
    ],
    ['histogram_quantile(0.95, sum by (le) (rate(h_bucket[5m]))) / 1e6', ['h_bucket'], ['le']],
    ['a unless on (service, topic) sum(b offset 5m) > 0.5', ['a', 'b'], ['service', 'topic']],
    [
      'service:x:ratio_rate5m{service="up"} and clamp_min(sum(c), 1)',
      ['c', 'service:x:ratio_rate5m'],
      ['service'],
    ],
    ['count(ALERTS{alertstate="firing"}) or vector(0)', ['ALERTS'], ['alertstate']],
    ['a * on (b) group_left (c) d', ['a', 'd'], ['b', 'c']],
  ])('partsOf finds the names in %s', (expression, metrics, labels) => {
    expect(partsOf(expression)).toEqual({ metrics, labels })
  })
})
