import { deadLetterTopic, topics } from '@bigtech/contracts'
import type { AccessRule } from './driver/port.ts'
import { KafkaUnavailable } from './errors.ts'
import type { KafkaConnection } from './kafka.ts'
import { sleep } from './timing.ts'

const APPLY_TIMEOUT_MS = 15_000
const POLL_MS = 100

/** The read-only account of the exporter and the console. */
const observer = 'observer'

/** Processes that share the account of their service but use consumer groups under names of their own. */
const furtherProcesses: Readonly<Record<string, readonly string[]>> = { 'media-service': ['media-worker'] }

/**
 * Returns the access rules of each service's account: write to the topics it owns and to every dead-letter
 * topic (a consumer dead-letters events of any owner), read every topic, and use consumer groups under the
 * names of its processes. An account is named after its service. The account `observer` reads every topic and sees every group.
 * Names begin with `topicPrefix`.
 */
export function accessRules(topicPrefix = ''): AccessRule[] {
  const owners = new Set(Object.values(topics).map(({ owner }) => owner))
  const services = [...owners].flatMap((account): AccessRule[] => {
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
      // Broadcast consumers and topic readers use group names with a random part.
      ...[account, ...(furtherProcesses[account] ?? [])].flatMap((name) => [
        rule('group', 'read', `${name}.`, true),
        rule('group', 'read', `broadcast.${name}.`, true),
      ]),
      rule('group', 'read', 'read.', true),
    ]
  })
  const all = topicPrefix ? { name: topicPrefix, isPrefix: true } : { name: '*', isPrefix: false }
  return [
    ...services,
    { account: observer, resource: 'topic', operation: 'read', ...all },
    { account: observer, resource: 'group', operation: 'describe', ...all },
  ]
}

export interface AccessDifference {
  readonly rule: AccessRule
  readonly what: 'is missing' | 'is too much'
}

/**
 * Compares the broker's access rules with `accessRules` and, unless `isDryRun`, adds missing rules and
 * removes surplus rules of the services' accounts. Leaves other accounts unchanged.
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
    if (Date.now() > deadline)
      throw new KafkaUnavailable('the brokers did not apply the access rules in time')
    await sleep(POLL_MS)
  }
}

function without(rules: readonly AccessRule[], others: readonly AccessRule[]): AccessRule[] {
  const key = ({ account, resource, name, isPrefix, operation }: AccessRule) =>
    [account, resource, name, isPrefix, operation].join()
  const known = new Set(others.map(key))
  return rules.filter((rule) => !known.has(key(rule)))
}
