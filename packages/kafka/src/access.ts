import { deadLetterTopic, topics } from '@bigtech/contracts'
import type { AccessRule } from './driver/port.ts'
import { KafkaUnavailable } from './errors.ts'
import type { KafkaConnection } from './kafka.ts'
import { sleep } from './timing.ts'

const APPLY_TIMEOUT_MS = 15_000
const POLL_MS = 100

/**
 * Returns what each service's account may do: write the topics that it owns and every dead-letter topic (a consumer
 * gives up events of any owner), read every topic, and use consumer groups of its own name. An account has the name of
 * its service. Names begin with `topicPrefix`.
 */
export function accessRules(topicPrefix = ''): AccessRule[] {
  const owners = new Set(Object.values(topics).map(({ owner }) => owner))
  return [...owners].flatMap((account): AccessRule[] => {
    const rule = (
      resource: AccessRule['resource'],
      operation: AccessRule['operation'],
      name: string,
      isPrefix = false,
    ): AccessRule => ({ account, resource, operation, name: topicPrefix + name, isPrefix })
    const names = Object.entries(topics)
    const owned = names.filter(([, { owner }]) => owner === account)
    return [
      ...owned.map(([topic]) => rule('topic', 'write', topic)),
      ...names.map(([topic]) => rule('topic', 'write', topic + deadLetterTopic.suffix)),
      ...names.flatMap(([topic]) => [
        rule('topic', 'read', topic),
        rule('topic', 'read', topic + deadLetterTopic.suffix),
      ]),
      rule('group', 'read', `${account}.`, true),
      // Broadcast consumers and readers of whole topics, in groups that nobody else can name.
      rule('group', 'read', `broadcast.${account}.`, true),
      rule('group', 'read', 'read.', true),
    ]
  })
}

export interface AccessDifference {
  readonly rule: AccessRule
  readonly what: 'is missing' | 'is too much'
}

/**
 * Compares what Kafka allows with `accessRules` and, unless `isDryRun`, adds what is missing and takes away what the
 * accounts of services may do beyond it. Accounts that are no service's are left alone.
 */
export async function ensureAccess(kafka: KafkaConnection, isDryRun: boolean): Promise<AccessDifference[]> {
  const { missing, surplus } = await compare(kafka)
  if (!isDryRun) {
    await kafka.driver.admin.createAcls(missing)
    await kafka.driver.admin.deleteAcls(surplus)
    await waitUntilEqual(kafka)
  }
  return [
    ...missing.map((rule) => ({ rule, what: 'is missing' }) as const),
    ...surplus.map((rule) => ({ rule, what: 'is too much' }) as const),
  ]
}

async function compare(kafka: KafkaConnection) {
  const wanted = accessRules(kafka.topicPrefix)
  const accounts = new Set(wanted.map(({ account }) => account))
  const found = (await kafka.driver.admin.listAcls()).filter(
    ({ account, name }) => accounts.has(account) && name.startsWith(kafka.topicPrefix),
  )
  return { missing: without(wanted, found), surplus: without(found, wanted) }
}

/** The controller acknowledges a rule before the brokers apply it. */
async function waitUntilEqual(kafka: KafkaConnection): Promise<void> {
  const deadline = Date.now() + APPLY_TIMEOUT_MS
  for (;;) {
    const { missing, surplus } = await compare(kafka)
    if (missing.length + surplus.length === 0) return
    if (Date.now() > deadline) throw new KafkaUnavailable('the brokers have not applied the access rules')
    await sleep(POLL_MS)
  }
}

function without(rules: readonly AccessRule[], others: readonly AccessRule[]): AccessRule[] {
  const key = ({ account, resource, name, isPrefix, operation }: AccessRule) =>
    [account, resource, name, isPrefix, operation].join()
  const known = new Set(others.map(key))
  return rules.filter((rule) => !known.has(key(rule)))
}
