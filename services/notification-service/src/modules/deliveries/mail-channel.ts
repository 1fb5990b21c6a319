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
  /** The client of user-service, which issues the tokens of one-time links. */
  readonly userService: ServiceClient
  /** Public URL of the web client. */
  readonly publicUrl: string
}

interface Composed {
  readonly address: string
  readonly language: Language
  readonly mail: Mail
}

/** Well below the lease of a delivery, so that no other process retries during an attempt. */
const CONNECT_TIMEOUT_MS = 5_000
const ANSWER_TIMEOUT_MS = 15_000

/**
 * Sends mail over SMTP. The Message-ID derives from the event: if a crash between the server's response and
 * our mark causes a duplicate, mail servers and readers can recognize it.
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
      // Prevents external content from being read into a mail.
      disableFileAccess: true,
      disableUrlAccess: true,
    })
  }

  attempt(deliveries: readonly Delivery[]): readonly Promise<AttemptResult>[] {
    return deliveries.map((delivery) => this.#attempt(delivery))
  }

  async #attempt(delivery: Delivery): Promise<AttemptResult> {
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

  /** Composes a mail with a link. Fetches the token at this moment and stores it nowhere. */
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
      // Used, replaced or expired in the meantime, or the account was deleted.
      if (err instanceof Problem) return { state: 'withdrawn' }
      throw err
    }
  }

  close(): void {
    this.#transport.close()
  }
}

/** Commands whose rejection concerns this mail; earlier ones concern the sender: a password, a certificate. */
const ABOUT_THIS_MAIL = new Set(['RCPT TO', 'DATA'])

/** Classifies an SMTP error: a 5xx about the mail is final (RFC 5321, 4.2.1); anything else is retried. */
function failureOf(err: unknown): AttemptResult {
  const { responseCode = 0, code, command = '' } = err as SmtpError
  const error = `smtp ${responseCode || (code ?? 'failed')}`
  const final = responseCode >= 500 && ABOUT_THIS_MAIL.has(command)
  return { state: final ? 'failed' : 'retry', error }
}

interface SmtpError {
  readonly responseCode?: number
  readonly code?: string
  /** The rejected SMTP command. */
  readonly command?: string
}
