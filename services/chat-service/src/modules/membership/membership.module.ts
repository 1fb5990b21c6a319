import type { Service } from '@bigtech/service-kit'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { ChatRedis } from '../../infrastructure/redis.ts'
import { membershipHandlers } from './membership.consumers.ts'
import { MembershipRepository } from './membership.repository.ts'
import { MembershipService, type MessagingPolicy, type MutedAccounts } from './membership.service.ts'

export interface MembershipModule {
  readonly repository: MembershipRepository
  readonly membership: MembershipService
}

/** Wires the membership module. */
export function createMembership(options: {
  service: Service
  mysql: Mysql
  redis: ChatRedis
  policy: MessagingPolicy
  muted: MutedAccounts
}): MembershipModule {
  const { service, mysql, redis, policy, muted } = options
  const repository = new MembershipRepository(mysql)
  const membership = new MembershipService({
    store: repository,
    hints: redis,
    policy,
    muted,
    log: service.log,
    metrics: service.metrics,
  })
  service.subscribeEveryProcess(membershipHandlers(membership))
  return { repository, membership }
}
