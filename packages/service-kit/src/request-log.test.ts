import { describe, expect, it } from 'vitest'
import { createLogger } from './logging.ts'
import { bindToRequest, RequestLog } from './request-log.ts'

function requestLog(level = 'info') {
  const lines: string[] = []
  const service = createLogger({
    service: 's',
    level,
    destination: { write: (line) => void lines.push(line) },
  })
  let children = 0
  const { child } = service
  service.child = function (this: typeof service, bindings: object) {
    children++
    return child.call(this, bindings)
  } as never
  const log = new RequestLog(service, { request_id: 'r1' })
  return { log, lines: () => lines.map((line) => JSON.parse(line)), children: () => children }
}

describe('the request log', () => {
  it("the request log writes the request's fields with every line, including fields bound later", () => {
    const { log, lines } = requestLog()
    log.info({ a: 1 }, 'first')
    bindToRequest(log as never, { user_id: 7 })
    log.child({ b: 2 }).warn('second')
    expect(lines()).toMatchObject([
      { request_id: 'r1', a: 1, msg: 'first', level: 'info' },
      { request_id: 'r1', user_id: 7, b: 2, msg: 'second', level: 'warn' },
    ])
  })

  it('the request log creates no child logger for a request that logs nothing', () => {
    const { log, lines, children } = requestLog()
    log.bind({ user_id: 7 })
    log.debug({ a: 1 }, 'below the level')
    expect(children()).toBe(0)
    expect(lines()).toEqual([])
    log.error('one')
    log.error('two')
    expect(children()).toBe(1)
  })

  it("the request log redacts secrets like the service's log", () => {
    const { log, lines } = requestLog()
    log.info({ body: { password: 'canary' } }, 'x')
    expect(JSON.stringify(lines())).not.toContain('canary')
  })
})
