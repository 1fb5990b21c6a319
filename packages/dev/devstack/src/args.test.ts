import { describe, expect, it } from 'vitest'
import { parseArgs } from './args.ts'
import { UserError } from './problems.ts'

describe('command line', () => {
  it('without arguments the dev instance starts with the servers available on this machine', () => {
    expect(parseArgs(['start'])).toMatchObject({
      instance: 'dev',
      docker: undefined,
      reset: false,
      onlyServers: false,
    })
  })

  it('test uses its own instance and forwards filters, including those that look like options', () => {
    expect(parseArgs(['test', 'friend', '-t', 'accept'])).toMatchObject({
      instance: 'test',
      rest: ['friend', '-t', 'accept'],
    })
  })

  it('options are parsed with and without a value', () => {
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
  ])('rejects %j with a message, so that a typing error is never ignored', (argv) => {
    expect(() => parseArgs(argv)).toThrow(UserError)
  })

  it('the command line forwards the arguments after the file to run', () => {
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

  it('the command line prints the usage for no command and for --help', () => {
    expect(parseArgs([]).help).toBe(true)
    expect(parseArgs(['start', '--help']).help).toBe(true)
  })
})
