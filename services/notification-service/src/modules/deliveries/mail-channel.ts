import { issueAccountLink } from '@bigtech/contracts'
import { Problem, type ServiceClient } from '@bigtech/service-kit'
import { StoreUnavailable } from '@bigtech/stores'
import { createTransport, type Transporter } from 'nodemailer'
import type { ContactsRepository } from '../contacts/contacts.repository.ts'
import { accountMail } from './account-mail.ts'
import type { AttemptResult, DeliveryChannel } from './channel.ts'
import {
  type AccountMailKind,
  type Delivery,
  type Language,
  languageOf,
  type Mail,
  welcomeMail,
} from './delivery.ts'

export interface MailChannelOptions {
  readonly smtpUrl: string
  readonly from: string
  readonly contacts: ContactsRepository
  /** Issues the tokens of one-time links. */
  readonly userService: ServiceClient
  /** Where people open the web client. */
  readonly publicUrl: string
}

interface Composed {
  readonly address: string
  readonly language: Language
  readonly mail: Mail
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
    const composed = await this.#compose(delivery)
    if ('state' in composed) return composed
    const { address, language, mail } = composed
    try {
      await this.#transport.sendMail({
        from: this.#options.from,
        to: { name: '', address },
        ...mail,
        messageId: `<${delivery.eventId}@${this.#domain}>`,
        headers: { 'Content-Language': language, 'Auto-Submitted': 'auto-generated' },
      })
      return { state: 'sent' }
    } catch (err) {
      return failureOf(err)
    }
  }

  async #compose(delivery: Delivery): Promise<Composed | AttemptResult> {
    if (delivery.linkId !== null) return this.#composeLink(delivery.kind as AccountMailKind, delivery.linkId)
    const contact = await this.#options.contacts.find(delivery.userId)
    if (!contact?.email) return { state: 'withdrawn' }
    const language = languageOf(contact.locale)
    return { address: contact.email, language, mail: welcomeMail(language) }
  }

  /** The token exists in the mail alone: asked for when the mail is sent, stored nowhere. */
  async #composeLink(kind: AccountMailKind, linkId: string): Promise<Composed | AttemptResult> {
    const { userService, publicUrl } = this.#options
    try {
      const link = await userService.call(
        issueAccountLink,
        { params: { link_id: linkId } },
        { requestId: linkId },
      )
      const language = languageOf(link.locale)
      const mail = accountMail(kind, { publicUrl, token: link.token, signIn: link.sign_in }, language)
      return { address: link.email, language, mail }
    } catch (err) {
      if (err instanceof StoreUnavailable) return { state: 'retry', error: 'user-service unavailable' }
      // Used, replaced or expired meanwhile, or the account is gone.
      if (err instanceof Problem) return { state: 'withdrawn' }
      throw err
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
