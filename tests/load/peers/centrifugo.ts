import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildGo, ensureArtefact } from '@bigtech/devstack'
import { freePort } from '@bigtech/testkit'
import { httpCaller } from './http.ts'
import { type Peer, peersFolder, startProgram } from './peer.ts'

const VERSION = 'v6.9.1'
const CHANNEL = 'room'
const API_KEY = 'load'

/** Builds Centrifugo (a real-time server in Go), and starts it with server-sent events and a history in memory. */
export async function startCentrifugo(): Promise<Peer> {
  const program = await ensureArtefact(peersFolder, {
    name: `centrifugo-${VERSION}-${process.arch}`,
    title: `Centrifugo ${VERSION}: Go build, two to five minutes the first time`,
    fill: (part, say) =>
      buildGo(
        part,
        {
          title: 'Centrifugo',
          module: 'github.com/centrifugal/centrifugo/v6',
          version: VERSION,
          modules: 150,
          packages: 900,
        },
        say,
      ),
  })
  const port = await freePort()
  const server = await startProgram(port, (folder) => {
    const config = join(folder, 'centrifugo.json')
    writeFileSync(config, JSON.stringify(configuration(port)))
    return { command: join(program, 'centrifugo'), args: ['--config', config] }
  })
  const caller = httpCaller(`http://127.0.0.1:${port}`)
  const subscription = encodeURIComponent(JSON.stringify({ subs: { [CHANNEL]: {} } }))
  return {
    name: 'Centrifugo',
    pid: server.pid,
    streams: {
      port,
      opening: () =>
        `GET /connection/uni_sse?cf_connect=${subscription} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`,
      publish: (content) =>
        caller.call('POST', '/api/publish', {
          headers: { 'x-api-key': API_KEY },
          body: { channel: CHANNEL, data: { content } },
        }),
    },
    stop: async () => {
      await caller.close()
      await server.stop()
    },
  }
}

function configuration(port: number) {
  return {
    http_server: { address: '127.0.0.1', port },
    client: { insecure: true, allowed_origins: ['*'] },
    http_api: { key: API_KEY },
    uni_sse: { enabled: true },
    channel: {
      without_namespace: {
        allow_subscribe_for_client: true,
        allow_subscribe_for_anonymous: true,
        history_size: 100,
        history_ttl: '60s',
      },
    },
  }
}
