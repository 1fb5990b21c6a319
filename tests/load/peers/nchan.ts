import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureArtefact, libraryEnv, run, unpackDebian } from '@bigtech/devstack'
import { freePort } from '@bigtech/testkit'
import { httpCaller } from './http.ts'
import { type Peer, peersFolder, startProgram } from './peer.ts'

/** The module creates a directory below /var/lib/nginx, whatever is configured: it gets one that only this process sees. */
const WITH_FOLDER = 'mount -t tmpfs tmpfs /var/lib && mkdir /var/lib/nginx && exec "$@"'

/** Unpacks nginx with the Nchan module (publish/subscribe in C) from Debian's packages, and starts it with one worker. */
export async function startNchan(): Promise<Peer> {
  const program = await ensureArtefact(peersFolder, {
    name: `nchan-debian-${process.arch}`,
    title: 'Nchan: packages of Debian',
    fill: (part, say) =>
      unpackDebian(
        part,
        { packages: ['nginx', 'libnginx-mod-nchan'], otherwise: 'Nchan needs apt-get and dpkg-deb.' },
        say,
      ),
    verify: async (part) => {
      await run(join(part, 'usr/sbin/nginx'), ['-v'], { env: libraryEnv(part) })
    },
  })
  const port = await freePort()
  const server = await startProgram(port, (folder) => {
    const config = join(folder, 'nginx.conf')
    writeFileSync(config, configuration(program, folder, port))
    const nginx = [
      join(program, 'usr/sbin/nginx'),
      '-p',
      folder,
      '-c',
      config,
      '-e',
      join(folder, 'error.log'),
    ]
    return {
      command: 'unshare',
      args: ['--mount', '--map-root-user', 'sh', '-c', WITH_FOLDER, 'sh', ...nginx],
      env: libraryEnv(program),
    }
  })
  const caller = httpCaller(`http://127.0.0.1:${port}`)
  return {
    name: 'Nchan',
    pid: server.pid,
    streams: {
      port,
      opening: () => 'GET /sub HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n',
      publish: (text) =>
        caller.call('POST', '/pub', { headers: { 'content-type': 'text/plain' }, body: text }),
    },
    stop: async () => {
      await caller.close()
      await server.stop()
    },
  }
}

function configuration(program: string, folder: string, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  )
  return `load_module ${join(program, 'usr/lib/nginx/modules/ngx_nchan_module.so')};
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
daemon off;
pid ${join(folder, 'nginx.pid')};
worker_rlimit_nofile 20000;
events { worker_connections 16000; }
http {
  access_log off;
  keepalive_requests 1000000000;
  nchan_shared_memory_size 256M;
  ${temporary.join('\n  ')}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /pub {
      nchan_publisher;
      nchan_channel_id room;
      nchan_message_buffer_length 100;
      nchan_message_timeout 60s;
    }
    location = /sub {
      nchan_subscriber eventsource;
      nchan_channel_id room;
      nchan_subscriber_first_message newest;
    }
  }
}
`
}
