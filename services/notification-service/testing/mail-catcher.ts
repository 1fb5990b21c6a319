import type { Socket } from 'node:net'
import { SMTPServer } from 'smtp-server'

export interface CaughtMail {
  readonly to: string
  /** Head and body as received. */
  readonly raw: string
}

export interface MailCatcher {
  readonly url: string
  readonly mails: CaughtMail[]
  /** Responds to the next mails with this code. */
  failWith: { code: number; times: number; at?: 'sender' | 'content' }
  /** Accepts connections but never responds. */
  silent: boolean
  /** Closes all connections. */
  hangUp(): void
  close(): Promise<void>
}

/** Starts an SMTP server that stores received mails. */
export async function startMailCatcher(): Promise<MailCatcher> {
  const mails: CaughtMail[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onMailFrom(_address, _session, callback) {
      const { code, at } = catcher.failWith
      if (at !== 'sender' || catcher.failWith.times-- <= 0) return callback()
      callback(Object.assign(new Error('no'), { responseCode: code }))
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        if (catcher.silent) return
        if (catcher.failWith.at !== 'sender' && catcher.failWith.times-- > 0) {
          callback(Object.assign(new Error('no'), { responseCode: catcher.failWith.code }))
          return
        }
        const to = session.envelope.rcptTo.map(({ address }) => address).join(',')
        mails.push({ to, raw: Buffer.concat(chunks).toString('utf8') })
        callback()
      })
    },
  })
  const sockets = new Set<Socket>()
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.server.address() as { port: number }
  const catcher: MailCatcher = {
    url: `smtp://127.0.0.1:${address.port}`,
    mails,
    failWith: { code: 0, times: 0 },
    silent: false,
    hangUp: () => {
      for (const socket of sockets) socket.destroy()
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
  return catcher
}

/** Returns a decoded header of a received mail. */
export function headerOf(mail: CaughtMail, name: string): string | undefined {
  const head = mail.raw.split('\r\n\r\n', 1)[0]!.replace(/\r\n[ \t]+/g, ' ')
  const value = new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]
  return value
    ?.replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?UTF-8\?([BQ])\?([^?]*)\?=/gi, (_all, encoding: string, text: string) =>
      encoding.toUpperCase() === 'B' ? Buffer.from(text, 'base64').toString('utf8') : decodeQ(text),
    )
}

function decodeQ(text: string): string {
  const bytes = text.replaceAll('_', ' ').replace(/=([0-9A-F]{2})/gi, (_all, hex: string) => `%${hex}`)
  return decodeURIComponent(bytes)
}
