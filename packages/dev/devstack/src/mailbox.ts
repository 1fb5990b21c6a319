import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'
import { FOREIGN_HOST, namesThisMachine } from './local-host.ts'

/** A received mail in the format of the JSON API. */
export interface CaughtMail {
  id: number
  receivedAt: string
  from: string
  to: string[]
  subject: string
  text: string
  html: string
}

const KEPT_MAILS = 500

/** Receives every mail of the stack and displays it: no mail leaves the machine. */
export class Mailbox {
  private readonly mails: CaughtMail[] = []
  private lastId = 0

  add(parsed: ParsedMail, recipients: readonly string[]): CaughtMail {
    const mail: CaughtMail = {
      id: ++this.lastId,
      receivedAt: new Date().toISOString(),
      from: parsed.from?.text ?? '',
      to: [...recipients],
      subject: parsed.subject ?? '',
      text: parsed.text ?? '',
      html: typeof parsed.html === 'string' ? parsed.html : '',
    }
    this.mails.unshift(mail)
    this.mails.length = Math.min(this.mails.length, KEPT_MAILS)
    return mail
  }

  /** Returns mails newest first; compares `to` regardless of case. */
  find(to: string | null): CaughtMail[] {
    const wanted = to?.toLowerCase()
    return this.mails.filter((mail) => !wanted || mail.to.some((address) => address.toLowerCase() === wanted))
  }

  get(id: number): CaughtMail | undefined {
    return this.mails.find((mail) => mail.id === id)
  }

  clear(): void {
    this.mails.length = 0
  }
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<style>body{font:15px system-ui;max-width:52rem;margin:2rem auto;padding:0 1rem}td,th{padding:.3rem .8rem .3rem 0;text-align:left}
pre{white-space:pre-wrap;background:#f5f5f5;padding:1rem}</style>${body}`
}

function listPage(mails: readonly CaughtMail[]): string {
  const rows = mails.map(
    (mail) =>
      `<tr><td>${mail.receivedAt.slice(0, 19).replace('T', ' ')}<td>${escapeHtml(mail.to.join(', '))}<td><a href="/mails/${mail.id}">${escapeHtml(mail.subject || '(no subject)')}</a>`,
  )
  const table = rows.length
    ? `<table><tr><th>Received<th>To<th>Subject${rows.join('')}</table>`
    : '<p>No mail yet.'
  return page('Mailbox', `<h1>Mailbox</h1><p>Every mail of this stack ends here.${table}`)
}

/** Shows the text part only, because HTML mail is untrusted. */
function mailPage(mail: CaughtMail): string {
  return page(
    mail.subject,
    `<p><a href="/">All mails</a><h1>${escapeHtml(mail.subject)}</h1><p>From ${escapeHtml(mail.from)}<br>To ${escapeHtml(mail.to.join(', '))}<pre>${escapeHtml(mail.text)}</pre>`,
  )
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' })
  response.end(body)
}

/** Responds to requests: `GET /` and `/mails/{id}` for people; `GET|DELETE /api/mails?to=` for tests. */
export function answerMailbox(mailbox: Mailbox, request: IncomingMessage, response: ServerResponse): void {
  if (!namesThisMachine(request.headers)) {
    send(response, 403, 'text/plain', FOREIGN_HOST)
    return
  }
  const url = new URL(request.url ?? '/', 'http://mailbox')
  const id = /^\/mails\/(\d+)$/.exec(url.pathname)?.[1]
  if (url.pathname === '/api/mails' && request.method === 'DELETE') {
    mailbox.clear()
    send(response, 200, 'application/json', '{"items":[]}')
  } else if (url.pathname === '/api/mails') {
    send(
      response,
      200,
      'application/json',
      JSON.stringify({ items: mailbox.find(url.searchParams.get('to')) }),
    )
  } else if (url.pathname === '/ready') send(response, 200, 'application/json', '{"status":"ready"}')
  else if (url.pathname === '/') send(response, 200, 'text/html', listPage(mailbox.find(null)))
  else {
    const mail = id ? mailbox.get(Number(id)) : undefined
    if (mail) send(response, 200, 'text/html', mailPage(mail))
    else send(response, 404, 'text/html', page('Not found', '<p>No such mail. <a href="/">All mails</a>'))
  }
}

function startMailbox(smtpPort: number, httpPort: number): void {
  const mailbox = new Mailbox()
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onAuth: (auth, _session, done) => done(null, { user: auth.username ?? 'anybody' }),
    onData: (stream, session, done) => {
      simpleParser(stream).then(
        (parsed) => {
          const recipients = session.envelope.rcptTo.map((recipient) => recipient.address)
          const mail = mailbox.add(parsed, recipients)
          const fields = {
            level: 30,
            time: Date.now(),
            msg: 'mail received',
            to: mail.to,
            subject: mail.subject,
          }
          console.log(JSON.stringify(fields))
          done()
        },
        (error: Error) => done(error),
      )
    },
  })
  const http = createServer((request, response) => answerMailbox(mailbox, request, response))
  smtp.listen(smtpPort, '127.0.0.1')
  http.listen(httpPort, '127.0.0.1')
  process.on('SIGTERM', () => {
    smtp.close()
    http.close()
    http.closeAllConnections()
  })
}

if (import.meta.main) startMailbox(Number(process.env.SMTP_PORT), Number(process.env.PORT))
