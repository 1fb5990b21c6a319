import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { filesBelow, root, text, yaml } from './files.ts'
import { rules } from './queries.ts'
import { FETCH_TIMEOUT_MS, need } from './tools.ts'

const folder = 'infrastructure/docker/prometheus'
const alerts = rules.filter((rule) => rule.alert)

const runTool = (program: string, args: string[]) => {
  // Go's garbage collection takes a third of promtool's CPU time at its default of 100.
  const env = { ...process.env, GOGC: '400' }
  const result = spawnSync(program, args, { cwd: root, encoding: 'utf8', env })
  return { status: result.status, answer: result.stdout.trim(), output: result.stdout + result.stderr }
}

describe('Prometheus', { timeout: FETCH_TIMEOUT_MS }, () => {
  it('Prometheus accepts its configuration and every rule', async (context) => {
    const promtool = await need('promtool', context)
    const config = runTool(promtool, ['check', 'config', `${folder}/prometheus.yml`])
    expect(config.status, config.output).toBe(0)
    const checked = runTool(promtool, ['check', 'rules', ...filesBelow(`${folder}/rules`, '.yml')])
    expect(checked.status, checked.output).toBe(0)
  })

  it('each alert fires in its positive but not in its negative case', async (context) => {
    const promtool = await need('promtool', context)
    const result = runTool(promtool, ['test', 'rules', ...filesBelow(`${folder}/tests`, '.test.yml')])
    expect(result.status, result.output).toBe(0)
  })

  it('Prometheus scrapes every copy of every service every 15 seconds', () => {
    const config = yaml<{
      global: { scrape_interval: string }
      scrape_configs: Array<{ job_name: string; dns_sd_configs?: Array<{ names: string[]; port: number }> }>
    }>(`${folder}/prometheus.yml`)
    expect(config.global.scrape_interval).toBe('15s')
    const targets = config.scrape_configs
      .find((job) => job.job_name === 'services')
      ?.dns_sd_configs?.map(({ names, port }) => `${names[0]}:${port}`)
    expect(targets).toEqual([
      'user-service:8005',
      'friend-service:8003',
      'chat-service:8002',
      'notification-service:8006',
      'analytics-service:8007',
      'media-service:8004',
      'media-worker:8009',
      'analysis-service:8010',
    ])
  })
})

describe('the alerts', () => {
  const runbooks = text('docs/observability/runbooks.md')
  const headings = [...runbooks.matchAll(/^## (\w+)$/gm)].map(([, name]) => name as string)

  it('the alerts include a service that is down, and too many errors', () => {
    const down = alerts.find((rule) => rule.alert === 'ServiceDown')
    expect(down).toMatchObject({ for: '1m', labels: { severity: 'critical' } })
    expect(down?.expr).toMatch(/^up\{.*\} == 0$/)
    const errors = alerts.find((rule) => rule.alert === 'HighErrorRate')
    expect(errors).toMatchObject({ for: '5m', labels: { severity: 'warning' } })
    expect(errors?.expr).toContain('> 0.05')
  })

  it.each(alerts.map((rule) => rule.alert as string))(
    'the alert %s has a description, a severity, and a remedy',
    (name) => {
      const rule = alerts.find((candidate) => candidate.alert === name)
      expect(rule?.labels?.severity).toMatch(name === 'Watchdog' ? /^none$/ : /^(critical|warning)$/)
      expect(rule?.annotations?.summary).toMatch(/\{\{ \$(labels|value)/)
      expect(rule?.annotations?.runbook).toBe(`docs/observability/runbooks.md#${name.toLowerCase()}`)
      expect(headings).toContain(name)
    },
  )

  it('each alert is fired once by a rule test', () => {
    const tests = filesBelow(`${folder}/tests`, '.test.yml').map(text).join('\n')
    const untested = alerts.filter(
      (rule) => !tests.includes(`alertname="${rule.alert}"`) && !tests.includes(`alertname='${rule.alert}'`),
    )
    const byOtherLabels = ['HighErrorRate', 'HighLatency', 'SigningKeyOld', 'DeadLetters']
    expect(
      untested.map((rule) => rule.alert).filter((name) => !byOtherLabels.includes(name as string)),
    ).toEqual([])
  })

  it('there is a runbook if and only if the alert exists', () => {
    expect(headings.filter((name) => !alerts.some((rule) => rule.alert === name))).toEqual([])
  })
})

describe('Alertmanager', { timeout: FETCH_TIMEOUT_MS }, () => {
  it('Alertmanager accepts its configuration, and routes critical alerts', async (context) => {
    const amtool = await need('amtool', context)
    const file = 'infrastructure/docker/alertmanager/alertmanager.yml'
    const checked = runTool(amtool, ['check-config', file])
    expect(checked.status, checked.output).toBe(0)
    const route = runTool(amtool, ['config', 'routes', 'test', `--config.file=${file}`, 'severity=critical'])
    expect(route.answer).toBe('mailbox')
  })
})
