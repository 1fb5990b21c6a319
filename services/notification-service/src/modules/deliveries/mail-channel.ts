import { createTransport, type Transporter } from 'nodemailer'
import type { ContactsRepository } from '../contacts/contacts.repository.ts'
import type { AttemptResult, DeliveryChannel } from './channel.ts'
import { type Delivery, languageOf, welcomeMail } from './delivery.ts'

export interface MailChannelOptions {
  readonly smtpUrl: string
  readonly from: string
  readonly contacts: ContactsRepository
}

/** Well below the lease of a delivery: while we still try, nobody else may. */
const CONNECT_TIMEOUT_MS = 5_000
const ANSWER_TIMEOUT_MS = 15_000

/**
 * Mail over SMTP. The Message-ID comes from the event: when a crash between the server's answer and
 * our mark makes us send again, mail servers and readers can tell that both are the same mail.
 */
export class MailChannel implements DeliveryChannel {
  readonly #transport: Transporter
  readonly #options: MailChannelOptions
  readonly #domain: string

  constructor(options: MailChannelOptions) {
    this.#options = options
    this.#domain = /@([^\s>]+)/.exec(options.from)?.[1] ?? 'localhost'
    this.#transport = createTransport({
      url: options.smtpUrl,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      greetingTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: ANSWER_TIMEOUT_MS,
      // Nothing from outside is ever read into a mail.
      disableFileAccess: true,
      disableUrlAccess: true,
    })
  }

  async attempt(delivery: Delivery): Promise<AttemptResult> {
    const contact = await this.#options.contacts.find(delivery.userId)
    if (!contact?.email) return { state: 'withdrawn' }
    const language = languageOf(contact.locale)
    const { subject, text } = welcomeMail(language)
    try {
      await this.#transport.sendMail({
        from: this.#options.from,
        to: { name: '', address: contact.email },
        subject,
        text,
        messageId: `<${delivery.eventId}@${this.#domain}>`,
        headers: { 'Content-Language': language, 'Auto-Submitted': 'auto-generated' },
      })
      return { state: 'sent' }
    } catch (err) {
      return failureOf(err)
    }
  }

  close(): void {
    this.#transport.close()
  }
}

/** What the answer to these says is about this mail; to anything before, about us: a password, a certificate. */
const ABOUT_THIS_MAIL = new Set(['RCPT TO', 'DATA'])

/** A 5xx about the mail is the server's last word (RFC 5321, 4.2.1); anything else may be better later. */
function failureOf(err: unknown): AttemptResult {
  const { responseCode = 0, code, command = '' } = err as SmtpError
  const error = `smtp ${responseCode || (code ?? 'failed')}`
  const final = responseCode >= 500 && ABOUT_THIS_MAIL.has(command)
  return { state: final ? 'failed' : 'retry', error }
}

interface SmtpError {
  readonly responseCode?: number
  readonly code?: string
  /** What the server did not like. */
  readonly command?: string
}
