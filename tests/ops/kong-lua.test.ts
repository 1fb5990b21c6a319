import { spawnSync } from 'node:child_process'
import { networkOf } from '@bigtech/service-kit'
import { describe, expect, it } from 'vitest'
import { yaml } from './files.ts'
import { FETCH_TIMEOUT_MS, need } from './tools.ts'

interface KongFile {
  plugins: Array<{ name: string; config: Record<string, string[]> }>
}

/** Returns the Lua of kong.yml's access log. */
function logLua(): string {
  const { plugins } = yaml<KongFile>('infrastructure/docker/kong/kong.yml')
  return plugins.find(({ name }) => name === 'pre-function')?.config.log?.[0] ?? ''
}

/** What Kong's plugin development kit gives to the script, as far as the script asks for it. */
const stub = (path: string, ip = '203.0.113.9', shown = 'path'): string => `
local fields = {}
kong = {
  log = { set_serialize_value = function(key, value) fields[key] = value end },
  client = { get_forwarded_ip = function() return ${JSON.stringify(ip)} end },
  router = { get_service = function() return { host = "chat-service" } end },
  response = { get_status = function() return 404 end },
  request = {
    get_path = function() return ${JSON.stringify(path)} end,
    get_method = function() return "POST" end,
    get_header = function() return "request-1" end,
  },
}
ngx = { var = { request_time = "0.012" } }
${logLua()}
io.write(fields.${shown})
`

describe("Kong's access log", { timeout: FETCH_TIMEOUT_MS }, () => {
  it.for([
    ['/api/rooms/join/canary', '/api/rooms/join/:token'],
    ['/api/rooms/%6aoin/canary', '/api/rooms/join/:token'],
    ['/api/rooms/%256aoin/canary', '/api/rooms/join/:token'],
    ['/api/rooms/Join/canary', '/api/rooms/join/:token'],
    ['//api/./ROOMS//join%2Fcanary', '/api/rooms/join/:token'],
    ['/api/rooms/join', '/api/rooms/join'],
    ['/api/friends/%69nvites/canary', '/api/friends/invites/:token'],
    ['/api/friends/invites', '/api/friends/invites'],
    ['/api/rooms/7/members', '/api/rooms/7/members'],
    ['/api/messages/7/%zz', '/api/messages/7/%zz'],
  ] as const)('Kong logs the path %s as %s', async ([path, shown], context) => {
    const { stdout, stderr } = spawnSync(await need('luajit', context), ['-'], {
      input: stub(path),
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(stdout).toBe(shown)
  })

  it.for([
    ['203.0.113.9', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:db8::9', '2001:db8::/48'],
    ['::1', '::/48'],
  ] as const)('Kong logs the IP address %s as the network %s', async ([ip, network], context) => {
    const { stdout, stderr } = spawnSync(await need('luajit', context), ['-'], {
      input: stub('/', ip, 'client_ip'),
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(stdout).toBe(network)
    expect(networkOf(ip)).toBe(network)
  })
})
