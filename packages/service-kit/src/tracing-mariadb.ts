import { context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { InstrumentationBase, InstrumentationNodeModuleDefinition } from '@opentelemetry/instrumentation'

type Statement = string | { readonly sql?: string }
type Run = (statement: Statement, values?: unknown) => Promise<unknown>

/** The patched methods of a connection, or of a pool that uses one for a single statement. */
interface Asked {
  query: Run
  execute: Run
  batch: Run
  getConnection?: () => Promise<Asked>
}

interface Connector {
  createPool(options: unknown): Asked
  createConnection(options: unknown): Promise<Asked>
}

const statementMethods = ['query', 'execute', 'batch'] as const
const VERB = /^\s*(\w+)/
const TABLE = /(?:\bFROM|\bINTO|^\s*UPDATE)\s+`?(?:\w+`?\.`?)?(\w+)/i
/** Number of inspected characters: the table follows the keyword or a list of columns. */
const LOOKED_AT = 2_000

/**
 * Creates spans of all MySQL statements: Prisma, plain SQL and transactions. A statement without a parent
 * span (polls, locks) creates none.
 */
export class MariaDbInstrumentation extends InstrumentationBase {
  constructor() {
    super('@bigtech/service-kit/mariadb', '1.0.0', {})
  }

  protected init() {
    return new InstrumentationNodeModuleDefinition('mariadb', ['>=3 <4'], (connector: Connector) => {
      this._wrap(
        connector,
        'createPool',
        (original) => (options: unknown) => this.#patch(original.call(connector, options)),
      )
      this._wrap(
        connector,
        'createConnection',
        (original) => async (options: unknown) => this.#patch(await original.call(connector, options)),
      )
      return connector
    })
  }

  #patch(asked: Asked): Asked {
    for (const method of statementMethods) {
      const original = asked[method]
      asked[method] = (statement, values) =>
        this.#traced(statement, () => original.call(asked, statement, values))
    }
    const { getConnection } = asked
    if (getConnection) asked.getConnection = async () => this.#patch(await getConnection.call(asked))
    return asked
  }

  #traced(statement: Statement, run: () => Promise<unknown>): Promise<unknown> {
    if (trace.getSpan(context.active()) === undefined) return run()
    const { operation, table } = summaryOf(typeof statement === 'string' ? statement : (statement.sql ?? ''))
    const span = this.tracer.startSpan(table ? `${operation} ${table}` : operation, {
      kind: SpanKind.CLIENT,
      attributes: {
        'db.system.name': 'mysql',
        'db.operation.name': operation,
        ...(table ? { 'db.collection.name': table } : {}),
      },
    })
    return run().then(
      (result) => {
        span.end()
        return result
      },
      (err: unknown) => {
        failed(span, err)
        throw err
      },
    )
  }
}

/** Marks the span as failed without the error message, which quotes the statement with its parameters. */
function failed(span: Span, err: unknown): void {
  const { code, name } = err as { code?: unknown; name?: string }
  span.setAttribute('error.type', typeof code === 'string' ? code : (name ?? 'Error'))
  span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
}

/** Returns operation and table, for example `SELECT`, `users`: nothing that could be a parameter. */
export function summaryOf(sql: string): { operation: string; table: string | undefined } {
  const start = sql.slice(0, LOOKED_AT)
  return { operation: VERB.exec(start)?.[1]?.toUpperCase() ?? 'SQL', table: TABLE.exec(start)?.[1] }
}
