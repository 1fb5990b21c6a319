// The upstreams of tests/gateway/compose.yml: one process under all their names, on the ports in kong.yml.
import { startEchoServers } from './echo-server.ts'

const ports = {
  'user-service': 8005,
  'friend-service': 8003,
  'chat-service': 8002,
  'media-service': 8004,
  'notification-service': 8006,
  'web-client': 8080,
}
await startEchoServers(ports, { host: '0.0.0.0', controlPort: 8099 })
process.once('SIGTERM', () => process.exit(0))
