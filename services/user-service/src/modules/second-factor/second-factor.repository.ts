import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'
import type { SecretBox } from '../../infrastructure/secret-box.ts'
import { recordActivity } from '../activity/activity-log.ts'
import { canonicalCode, hashRecoveryCode, isTotpCode, totpStepOf } from './second-factor.ts'

export type SecondFactorRepository = ReturnType<typeof createSecondFactorRepository>

export interface SecondFactorState {
  readonly totpEnabledAt: Date | null
  readonly recoveryCodesLeft: number
}

/** Creates the repository of authenticator apps and recovery codes. */
export function createSecondFactorRepository(mysql: Mysql, box: SecretBox, now: () => Date) {
  return {
    isEnabled: (userId: number) =>
      mysql.run('isTotpEnabled', async (db): Promise<boolean> => {
        const row = await db.credential.findUnique({ where: { userId }, select: { totpEnabledAt: true } })
        return row !== null && row.totpEnabledAt !== null
      }),

    state: (userId: number) =>
      mysql.run('secondFactors', async (db): Promise<SecondFactorState> => {
        const row = await db.credential.findUnique({ where: { userId }, select: { totpEnabledAt: true } })
        const recoveryCodesLeft = await db.recoveryCode.count({ where: { userId, usedAt: null } })
        return { totpEnabledAt: row?.totpEnabledAt ?? null, recoveryCodesLeft }
      }),

    /** Stores a pending secret. Returns false when an app is already on. */
    setUp: (userId: number, secret: string) =>
      mysql.run('setUpTotp', async (db): Promise<boolean> => {
        const { count } = await db.credential.updateMany({
          where: { userId, totpEnabledAt: null },
          data: { totpSecret: box.seal(secret, contextOf(userId)), totpLastStep: 0 },
        })
        return count === 1
      }),

    /** Turns on the pending app when the code is valid. */
    enable: (userId: number, code: string, recoveryCodes: readonly string[]) =>
      mysql.transaction('enableTotp', async (tx): Promise<'enabled' | 'wrong' | 'already'> => {
        const row = await lockCredential(tx, userId)
        if (row?.totpEnabledAt) return 'already'
        if (!row?.totpSecret) return 'wrong'
        const step = totpStepOf(canonicalCode(code), box.open(row.totpSecret, contextOf(userId)), now(), 0)
        if (step === undefined) return 'wrong'
        await tx.credential.update({
          where: { userId },
          data: { totpEnabledAt: now(), totpLastStep: step },
          select: { userId: true },
        })
        await replaceCodes(tx, userId, recoveryCodes)
        await recordActivity(tx, { userId, type: 'totp_enabled' })
        return 'enabled'
      }),

    disable: (userId: number) =>
      mysql.transaction('disableTotp', async (tx): Promise<void> => {
        await tx.credential.updateMany({
          where: { userId },
          data: { totpSecret: null, totpEnabledAt: null, totpLastStep: 0 },
        })
        await tx.recoveryCode.deleteMany({ where: { userId } })
        await recordActivity(tx, { userId, type: 'totp_disabled' })
      }),

    replaceRecoveryCodes: (userId: number, codes: readonly string[]) =>
      mysql.transaction('replaceRecoveryCodes', (tx) => replaceCodes(tx, userId, codes)),

    /** Uses up a code in the caller's transaction: exactly one of several concurrent uses gets true. */
    async consume(tx: Transaction, userId: number, typed: string): Promise<boolean> {
      const code = canonicalCode(typed)
      if (!isTotpCode(code)) {
        const { count } = await tx.recoveryCode.updateMany({
          where: { userId, codeHash: hashRecoveryCode(code), usedAt: null },
          data: { usedAt: now() },
        })
        return count === 1
      }
      const row = await lockCredential(tx, userId)
      if (!row?.totpEnabledAt || !row.totpSecret) return false
      const secret = box.open(row.totpSecret, contextOf(userId))
      const step = totpStepOf(code, secret, now(), row.totpLastStep)
      if (step === undefined) return false
      await tx.credential.update({
        where: { userId },
        data: { totpLastStep: step },
        select: { userId: true },
      })
      return true
    },

    /** Like `consume`, in a separate transaction. */
    use(userId: number, code: string): Promise<boolean> {
      return mysql.transaction('useSecondFactor', (tx) => this.consume(tx, userId, code))
    },
  }
}

async function lockCredential(tx: Transaction, userId: number) {
  // Raw: Prisma has no FOR UPDATE.
  await tx.$queryRaw`SELECT user_id FROM credentials WHERE user_id = ${userId} FOR UPDATE`
  return tx.credential.findUnique({
    where: { userId },
    select: { totpSecret: true, totpEnabledAt: true, totpLastStep: true },
  })
}

async function replaceCodes(tx: Transaction, userId: number, codes: readonly string[]): Promise<void> {
  await tx.recoveryCode.deleteMany({ where: { userId } })
  await tx.recoveryCode.createMany({
    data: codes.map((code) => ({ userId, codeHash: hashRecoveryCode(code) })),
  })
}

function contextOf(userId: number): string {
  return `totp:${userId}`
}
