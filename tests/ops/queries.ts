import { filesBelow, text, yaml } from './files.ts'

export interface Panel {
  title: string
  type: string
  description?: string
  datasource?: { uid: string }
  gridPos: { x: number; y: number; w: number; h: number }
  fieldConfig?: { defaults: { unit?: string; thresholds?: { steps: unknown[] } } }
  targets?: Array<{ expr: string; legendFormat?: string; datasource: { uid: string } }>
}

export interface Dashboard {
  uid: string
  title: string
  panels: Panel[]
}

export interface Rule {
  record?: string
  alert?: string
  expr: string
  for?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
}

export interface Query {
  /** The location, for error messages. */
  where: string
  expression: string
}

const dashboardFolder = 'infrastructure/docker/grafana/dashboards'
const ruleFolder = 'infrastructure/docker/prometheus/rules'

export const dashboards: Dashboard[] = filesBelow(dashboardFolder, '.json').map(
  (path) => JSON.parse(text(path)) as Dashboard,
)

export const rules: Rule[] = filesBelow(ruleFolder, '.yml').flatMap((path) =>
  yaml<{ groups: Array<{ rules: Rule[] }> }>(path).groups.flatMap((group) => group.rules),
)

const panelQueries = (uid: string): Query[] =>
  dashboards.flatMap((dashboard) =>
    dashboard.panels.flatMap((panel) =>
      (panel.targets ?? [])
        .filter((target) => target.datasource.uid === uid)
        .map((target) => ({ where: `${dashboard.title}: ${panel.title}`, expression: target.expr })),
    ),
  )

/** Every PromQL expression of the dashboards and rules. */
export const promqlQueries: Query[] = [
  ...panelQueries('prometheus'),
  ...rules.map((rule) => ({ where: (rule.alert ?? rule.record) as string, expression: rule.expr })),
]

/** Every LogQL expression of the dashboards. */
export const logqlQueries: Query[] = panelQueries('loki')
