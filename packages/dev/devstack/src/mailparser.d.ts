/** The used part of mailparser; the package has no type definitions. */
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
