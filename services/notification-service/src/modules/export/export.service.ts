import type { ContactsRepository } from '../contacts/contacts.repository.ts'
import type { DeliveriesRepository } from '../deliveries/deliveries.repository.ts'
import { deliveryView } from '../deliveries/deliveries.routes.ts'
import type { PreferencesRepository } from '../preferences/preferences.repository.ts'
import { preferencesView } from '../preferences/preferences.routes.ts'
import type { SubscriptionsRepository } from '../subscriptions/subscriptions.repository.ts'
import { subscriptionView } from '../subscriptions/subscriptions.routes.ts'

export interface ExportServiceOptions {
  readonly contacts: ContactsRepository
  readonly preferences: PreferencesRepository
  readonly subscriptions: SubscriptionsRepository
  readonly deliveries: DeliveriesRepository
}

const BATCH = 500

/** Exports a user's data for the archive of their account. */
export class ExportService {
  readonly #options: ExportServiceOptions

  constructor(options: ExportServiceOptions) {
    this.#options = options
  }

  /** Returns one JSON document in chunks, because a month may contain many deliveries. */
  async exportNotificationData(userId: number): Promise<AsyncIterable<string>> {
    const { contacts, preferences, subscriptions } = this.#options
    const [contact, chosen, devices] = await Promise.all([
      contacts.find(userId),
      preferences.find(userId),
      subscriptions.list(userId),
    ])
    const head = {
      exported_at: new Date().toISOString(),
      user_id: userId,
      email: contact?.email ?? null,
      locale: contact?.locale ?? null,
      preferences: preferencesView(chosen),
      subscriptions: devices.map(subscriptionView),
    }
    return this.#document(userId, head)
  }

  async *#document(userId: number, head: object): AsyncGenerator<string> {
    yield `${JSON.stringify(head).slice(0, -1)},"deliveries":[`
    let before: string | undefined
    for (;;) {
      const rows = await this.#options.deliveries.list(userId, BATCH, before)
      const items = rows.map((row) => JSON.stringify(deliveryView(row))).join(',')
      if (items !== '') yield before === undefined ? items : `,${items}`
      if (rows.length < BATCH) break
      before = rows.at(-1)!.id
    }
    yield ']}'
  }
}
