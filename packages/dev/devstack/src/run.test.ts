import { describe, expect, it } from 'vitest'
import { UserError } from './problems.ts'
import { run, together } from './run.ts'

async function failsAtOnce(): Promise<void> {
  throw new UserError('Maven is needed.')
}

async function runsLong(): Promise<void> {
  await run('sleep', ['30'])
}

async function endsLate(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 300))
}

describe('together', () => {
  it('together rejects with the cause even if a consequential failure is reported first', async () => {
    const servers = together([failsAtOnce(), endsLate()])
    await expect(together([servers, runsLong()])).rejects.toThrow('Maven is needed.')
  })

  it('together ends the programs of the others soon after the first failure', async () => {
    const began = Date.now()
    await expect(together([runsLong(), failsAtOnce()])).rejects.toThrow('Maven is needed.')
    expect(Date.now() - began).toBeLessThan(5_000)
  })
})
