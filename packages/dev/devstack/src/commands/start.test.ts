import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openInstance, passwordsOf } from '../instance.ts'
import { serviceProcess } from '../service-process.ts'
import { presentServices } from '../services.ts'
import { Supervisor } from '../supervisor.ts'
import { summary } from './start.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'devstack-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** The limit of a first start of the servers in stack.int.test.ts, whose last three lines are its own. */
const SERVER_LINES = 15 - 3
/** Generated code, migrations, services, gateway, demo users. */
const STEP_LINES = 5
/** The installation, the name of the instance, `Ready`, and the empty lines around it and the table. */
const FRAME_LINES = 6

it('a whole first start prints at most 40 lines', () => {
  const instance = openInstance('dev', false, { DEVSTACK_DATA: folder })
  const passwords = passwordsOf(instance)
  const supervisor = new Supervisor({ logs: instance.logFolder, pids: instance.pidFolder })
  for (const service of presentServices(instance.root))
    supervisor.add(serviceProcess(service, instance, passwords))
  const table = summary({ instance, passwords, supervisor })
  expect(table).toContain('http://localhost:8000/')
  expect(SERVER_LINES + STEP_LINES + FRAME_LINES + table.split('\n').length).toBeLessThanOrEqual(40)
})
