import { accountMailPurpose } from '@bigtech/contracts'
import { startAtZero } from '@bigtech/service-kit'
import { Counter, Gauge, type Registry } from 'prom-client'

const mailKinds = ['welcome', ...accountMailPurpose.options]

/** Metrics of deliveries. */
export class NotificationMetrics {
  readonly mails: Counter<'template' | 'result'>
  readonly pushes: Counter<'result'>
  readonly pending: Gauge
  readonly waiting: Gauge
  readonly unroutable: Counter

  constructor(registry: Registry) {
    const registers = [registry]
    this.mails = new Counter({
      name: 'emails_sent_total',
      help: 'Mails by outcome: sent, retried, failed.',
      labelNames: ['template', 'result'],
      registers,
    })
    this.pushes = new Counter({
      name: 'pushes_sent_total',
      help: 'Push notifications by outcome: sent, retried, failed, no_subscription, connected, withdrawn.',
      labelNames: ['result'],
      registers,
    })
    startAtZero(this.mails, { template: mailKinds, result: ['sent', 'retried', 'failed'] })
    startAtZero(this.pushes, {
      result: ['sent', 'retried', 'failed', 'no_subscription', 'connected', 'withdrawn'],
    })
    this.pending = new Gauge({
      name: 'notification_deliveries_overdue',
      help: 'Deliveries that are due and not finished.',
      registers,
    })
    this.waiting = new Gauge({
      name: 'notification_messages_waiting',
      help: 'Messages of rooms whose members are unknown.',
      registers,
    })
    this.unroutable = new Counter({
      name: 'notification_messages_unroutable_total',
      help: 'Messages dropped because their room remained unknown.',
      registers,
    })
  }
}
