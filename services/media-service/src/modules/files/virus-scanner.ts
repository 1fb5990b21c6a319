import { createReadStream } from 'node:fs'
import { connect } from 'node:net'
import { StoreUnavailable } from '@bigtech/service-kit'

const SILENT_MS = 60_000

/** Scans files with clamd (INSTREAM). Fails closed: during an outage of clamd no file passes. */
export class VirusScanner {
  readonly #host: string
  readonly #port: number

  /** @param address `host:port` */
  constructor(address: string) {
    const colon = address.lastIndexOf(':')
    this.#host = address.slice(0, colon)
    this.#port = Number(address.slice(colon + 1))
  }

  /** Returns the name of a detected virus, or undefined. @throws StoreUnavailable when clamd returns no verdict */
  async scan(file: string): Promise<string | undefined> {
    const reply = await this.#ask(file).catch((err: unknown) => {
      throw new StoreUnavailable('clamd', err)
    })
    if (reply === 'stream: OK') return undefined
    const found = /^stream: (.+) FOUND$/.exec(reply)?.[1]
    if (found) return found
    throw new StoreUnavailable('clamd', new Error(reply))
  }

  #ask(file: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: this.#host, port: this.#port })
      let reply = ''
      socket.setTimeout(SILENT_MS, () => socket.destroy(new Error('clamd does not respond')))
      socket.setEncoding('utf8')
      socket.on('data', (text: string) => {
        reply += text
      })
      socket.on('error', reject)
      socket.on('end', () => resolve(reply.replace(/\0.*$/s, '').trim()))
      socket.write('zINSTREAM\0')
      send(file, socket).catch((err: Error) => socket.destroy(err))
    })
  }
}

/** Sends a file: each chunk is preceded by its length; an empty chunk ends the stream. */
async function send(file: string, socket: ReturnType<typeof connect>): Promise<void> {
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(chunk.length)
    socket.write(length)
    if (!socket.write(chunk)) await new Promise((resolve) => socket.once('drain', resolve))
  }
  socket.write(Buffer.alloc(4))
}
