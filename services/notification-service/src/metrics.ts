import { Counter, Gauge, type Registry } from 'prom-client'

/** What became of what should be told. */
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
      help: 'Mails by what became of them: sent, retried, failed.',
      labelNames: ['template', 'result'],
      registers,
    })
    this.pushes = new Counter({
      name: 'pushes_sent_total',
      help: 'Push notices by what became of them: sent, retried, failed, no_subscription, connected, withdrawn.',
      labelNames: ['result'],
      registers,
    })
    this.pending = new Gauge({
      name: 'notification_deliveries_overdue',
      help: 'Deliveries whose time has come and that are not finished.',
      registers,
    })
    this.waiting = new Gauge({
      name: 'notification_messages_waiting',
      help: 'Messages of rooms whose members are not known yet.',
      registers,
    })
    this.unroutable = new Counter({
      name: 'notification_messages_unroutable_total',
      help: 'Messages given up on because their room never became known.',
      registers,
    })
  }
}
