import { describe, expect, it } from 'vitest'
import { parseArgs } from './args.ts'
import { UserError } from './problems.ts'

describe('command line', () => {
  it('starts the dev instance with the servers this machine offers when nothing is said', () => {
    expect(parseArgs(['start'])).toMatchObject({
      instance: 'dev',
      docker: undefined,
      reset: false,
      onlyServers: false,
    })
  })

  it('gives tests an instance of their own and passes their filters on, also those that look like options', () => {
    expect(parseArgs(['test', 'friend', '-t', 'accept'])).toMatchObject({
      instance: 'test',
      rest: ['friend', '-t', 'accept'],
    })
  })

  it('reads options with and without a value', () => {
    const args = parseArgs([
      'start',
      '--reset',
      '--no-docker',
      '--instance',
      'two',
      '--only',
      'servers',
      '--without',
      'gateway',
    ])
    expect(args).toMatchObject({
      reset: true,
      docker: false,
      instance: 'two',
      onlyServers: true,
      without: ['gateway'],
    })
  })

  it.each([
    [['start', '--rest']],
    [['strat']],
    [['start', '--instance']],
    [['start', '--instance', '--reset']],
    [['start', '--instance', '../etc']],
    [['start', '--only', 'services']],
    [['start', '--without', 'chatservice']],
  ])('refuses %j with a sentence, so that a typing error is never ignored', (argv) => {
    expect(() => parseArgs(argv)).toThrow(UserError)
  })

  it('passes on what stands behind the file to run', () => {
    const args = parseArgs([
      'run',
      '--instance',
      'two',
      'a.ts',
      'list',
      '--topic',
      'user.events',
      '--',
      '--reset',
    ])
    expect(args).toMatchObject({ instance: 'two', reset: false })
    expect(args.rest).toEqual(['a.ts', 'list', '--topic', 'user.events', '--', '--reset'])
  })

  it('shows the help when nothing or --help is asked', () => {
    expect(parseArgs([]).help).toBe(true)
    expect(parseArgs(['start', '--help']).help).toBe(true)
  })
})
