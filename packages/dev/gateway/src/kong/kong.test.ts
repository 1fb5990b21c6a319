import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../config.ts'
import { KongConfigError, parseKong } from './load.ts'
import { escapePath, normalizePath } from './path.ts'

const text = readFileSync(readConfig({}).KONG_CONFIG, 'utf8')

/** Returns kong.yml with one place changed, which must exist. */
function changed(from: string, to: string): string {
  expect(text).toContain(from)
  return text.replace(from, () => to)
}

describe('kong.yml', () => {
  test('kong.yml is interpreted completely', () => {
    expect(parseKong(text).services.map((service) => service.name)).toContain('users')
  })

  test.each([
    [
      'a new key of a service',
      '    retries: 5\n',
      '    retries: 5\n    tls_verify: true\n',
      'services[0].tls_verify: unknown key',
    ],
    [
      'a new key of a route',
      '        strip_path: true\n',
      '        strip_path: true\n        methods: [GET]\n',
      'services[0].routes[0].methods: unknown key',
    ],
    [
      'a new key of a plug-in',
      '      minute: 100\n',
      '      minute: 100\n      hour: 1000\n',
      'plugins[3].config.hour: unknown key',
    ],
    [
      'another plug-in',
      '  - name: file-log\n',
      '  - name: http-log\n',
      'plugins[5].name: unknown plug-in "http-log"',
    ],
    ['another policy', '      policy: local\n', '      policy: cluster\n', '.config.policy'],
    ['a new kind of entity', 'services:\n', 'upstreams: []\nservices:\n', 'upstreams: unknown key'],
    ['a negative number of retries', '    retries: 5\n', '    retries: -1\n', 'services[0].retries'],
    [
      'a pattern of origins',
      '        - http://localhost:5173\n',
      "        - '.*'\n",
      'plugins[1].config.origins[2]: must be a plain origin',
    ],
    [
      'other Lua',
      'local id = kong.request',
      'local di = kong.request',
      'this Lua differs from the one reimplemented in client.ts',
    ],
    ['a name twice', '  - name: users\n    host', '  - name: auth\n    host', 'has service auth twice'],
  ])('%s prevents the start and is named', (_what, from, to, message) => {
    expect(() => parseKong(changed(from, to))).toThrow(KongConfigError)
    expect(() => parseKong(changed(from, to))).toThrow(message)
  })

  test('invalid YAML is reported', () => {
    expect(() => parseKong('services: [')).toThrow('is not YAML')
  })
})

describe('paths', () => {
  test.each([
    ['/', '/'],
    ['/a//b/', '/a/b/'],
    ['/a/./b/../c', '/a/c'],
    ['/a/..', '/'],
    ['/a/b/.', '/a/b/'],
    ['/../../a', '/a'],
    ['/%61/%2e%2E/b', '/b'],
    ['/a%2fb', '/a%2Fb'],
    ['/a%5cb', '/a\\b'],
    ['/%25%32%65', '/%252e'],
    ['/%zz', '/%zz'],
  ])('normalizes %s to %s', (path, normal) => {
    expect(normalizePath(path)).toBe(normal)
  })

  test('the router forwards a plain path unchanged', () => {
    for (const path of ['/a/%ED%85%8C', "/a/b:c@d;e=f,g+h(i)*!$&'", '/a%20b%22', '/%F0%9F%91%8D']) {
      expect(escapePath(normalizePath(path))).toBe(path)
    }
  })
})
