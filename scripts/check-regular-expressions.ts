import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { check } from 'recheck'
import ts from 'typescript'

/**
 * Fails on regular expressions with catastrophic backtracking (ReDoS): more than linear time in deployed
 * code, exponential time in tests and tools. Checks every literal and every `new RegExp` of a constant.
 */
const root = join(import.meta.dirname, '..')
/** Cache of expressions found safe: only new expressions are analyzed. */
const cacheFile = join(root, 'node_modules', '.cache', 'regular-expressions.json')

/** Expressions that recheck cannot analyze, with the reason why their time is bounded. */
const accepted = new Map([
  ['/^\\p{RGI_Emoji}$/v', 'recheck knows no flag v; a finite set, and its input has 32 characters at most'],
  ['/^(?:\\p{RGI_Emoji}){1,3}$/v', 'recheck knows no flag v; at most 3 of a finite set'],
  ['/(?:^|\\s)@([^\\s@]{0,30})$/u', 'looks at 30 characters after each @, of what its author is typing'],
  ['/(?:\\bFROM|\\bINTO|^\\s*UPDATE)\\s+`?(?:\\w+`?\\.`?)?(\\w+)/i', 'reads 2,000 characters of our own SQL'],
  ['/[₩\\\\\\d][\\d,.조억만천백십 ]{0,60}원?/g', 'takes 62 characters at most, and never looks at one twice'],
  ['/-----BEGIN PRIVATE KEY-----[\\s\\S]+?-----END PRIVATE KEY-----/g', "reads the operator's own key file"],
])
const isTool = (file: string) =>
  /\.test\.ts$|^tests\/|^scripts\/|^k8s\/|\/(devstack|testkit)\/|\/testing(\/|\.ts$)/.test(file)

interface Expression {
  readonly text: string
  readonly source: string
  readonly flags: string
  readonly places: string[]
  isDeployed: boolean
}

const expressions = new Map<string, Expression>()

function collect(file: string): void {
  const tree = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true)
  const add = (node: ts.Node, source: string, flags: string) => {
    const text = `/${source}/${flags}`
    const found = expressions.get(text) ?? { text, source, flags, places: [], isDeployed: false }
    found.places.push(`${file}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}`)
    found.isDeployed ||= !isTool(file)
    expressions.set(text, found)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/')
      add(node, node.text.slice(1, end), node.text.slice(end + 1))
    } else if (ts.isNewExpression(node) && node.expression.getText() === 'RegExp') {
      const [source, flags] = node.arguments ?? []
      if (source && ts.isStringLiteralLike(source)) {
        add(node, source.text, flags && ts.isStringLiteralLike(flags) ? flags.text : '')
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
}

/** Without limits of matching time, which a busy machine exceeds also with safe expressions: those of steps remain. */
const decisionOfDeployed = {
  timeout: 60_000,
  attackTimeout: null,
  incubationTimeout: null,
  seedingTimeout: null,
}

/** Returns the problem of an expression, or null. */
async function faultOf({ source, flags, isDeployed }: Expression): Promise<string | null> {
  const result = await check(
    source,
    flags,
    isDeployed ? decisionOfDeployed : { timeout: 3_000, checker: 'automaton' },
  )
  if (result.status === 'safe') return null
  if (result.status === 'unknown') return isDeployed ? `not decided (${result.error.kind})` : null
  const { type, summary } = result.complexity
  return isDeployed || type === 'exponential' ? `${summary}, for example with ${result.attack.pattern}` : null
}

function readCache(): string[] {
  try {
    return JSON.parse(readFileSync(cacheFile, 'utf8')) as string[]
  } catch {
    return []
  }
}

const listed = ['ls-files', '-co', '--exclude-standard', '*.ts', '*.tsx', '*.js', '*.mjs', '*.cjs']
for (const file of execFileSync('git', listed, { cwd: root, encoding: 'utf8' }).split('\n')) {
  if (file !== '') collect(file)
}
const cacheKey = ({ text, isDeployed }: Expression) => `${isDeployed} ${text}`
const known = new Set(readCache())
const safe: string[] = []
let failures = 0
await Promise.all(
  [...expressions.values()].map(async (expression) => {
    const fault =
      known.has(cacheKey(expression)) || accepted.has(expression.text) ? null : await faultOf(expression)
    if (fault === null) return void safe.push(cacheKey(expression))
    failures++
    console.error(`${expression.places.join(', ')}: ${expression.text} takes ${fault}.`)
  }),
)
mkdirSync(dirname(cacheFile), { recursive: true })
writeFileSync(cacheFile, JSON.stringify(safe))
process.exit(failures === 0 ? 0 : 1)
