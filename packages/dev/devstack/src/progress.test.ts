import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { step } from './progress.ts'

let lines: string[] = []
beforeEach(() => {
  lines = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => lines.push(line.trim()))
})
afterEach(() => vi.restoreAllMocks())

const nothing = async () => undefined

it('a step prints one line, however many steps it consists of', async () => {
  await step('Services', () => Promise.all([step('chat', nothing), step('user', nothing)]))
  expect(lines).toEqual([expect.stringMatching(/^✓ Services \d+\.\d s$/)])
})

it('steps that run side by side print a line each', async () => {
  await Promise.all([step('MariaDB', nothing), step('Redis', nothing)])
  expect(lines).toHaveLength(2)
})

it('a completed step can be named by its result', async () => {
  await step(
    'Redis',
    async () => 6379,
    (port) => `Redis on ${port}`,
  )
  expect(lines).toEqual([expect.stringContaining('Redis on 6379')])
})

it('a failed step is named also within another one', async () => {
  const failing = () => Promise.reject(new Error('no port'))
  await expect(step('Services', () => step('chat', failing))).rejects.toThrow('no port')
  expect(lines).toEqual([expect.stringContaining('✗ chat'), expect.stringContaining('✗ Services')])
})
