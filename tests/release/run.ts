import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'

const usage = `Usage: npm run release-drill [-- COMMAND [ARGUMENT...]]
Releases services with COMMAND while people send messages, read, upload files and keep streams open through the
gateway (BIGTECH_GATEWAY_URL, default http://127.0.0.1:8000), and counts what became of every request, message and stream.
For example: BIGTECH_GATEWAY_URL=http://127.0.0.1 npm run release-drill -- infrastructure/docker/release.sh chat-service
Without COMMAND: a rolling update of every service of the running npm start, with the probes, preStop, grace periods and
surge of the Kubernetes manifests. Takes about five minutes.`

const [command, ...args] = process.argv.slice(2)
if (command === '--help' || command === '-h') {
  console.log(usage)
  process.exit(0)
}
if (command?.startsWith('-')) {
  console.error(`Unknown option ${command}. See --help.`)
  process.exit(2)
}

// The services themselves may be unreachable from here: everything goes through the gateway.
const gateway = process.env.BIGTECH_GATEWAY_URL ?? 'http://127.0.0.1:8000'
for (const service of ['USER', 'FRIEND', 'CHAT', 'NOTIFICATION'])
  process.env[`BIGTECH_${service}_URL`] = `${gateway}/api`
process.exitCode = (await (command === undefined ? roll() : releaseBy(command))) ? 0 : 1
process.exit()

async function roll(): Promise<boolean> {
  const { rollingUpdate } = await import('./rolling-update.ts')
  return rollingUpdate()
}

async function releaseBy(program: string): Promise<boolean> {
  const { drill } = await import('./drill.ts')
  return drill(async () => {
    const child = spawn(program, args, { stdio: 'inherit' })
    const [code] = (await once(child, 'exit')) as [number | null]
    return code === 0
  })
}
