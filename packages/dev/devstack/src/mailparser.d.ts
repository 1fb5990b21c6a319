/** The part of mailparser that the mailbox uses; the package brings no types. */
declare module 'mailparser' {
  import type { Readable } from 'node:stream'

  export interface ParsedMail {
    from?: { text: string }
    subject?: string
    text?: string
    html?: string | false
  }

  export function simpleParser(source: Readable | string | Buffer): Promise<ParsedMail>
}
