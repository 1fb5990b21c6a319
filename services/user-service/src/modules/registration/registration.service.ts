import { type Context, Problem, type Service } from '@bigtech/service-kit'
import {
  type AccountService,
  orTakenProblem,
  type Registration as SignUp,
} from '../account/account.service.ts'
import { LeaseLost, type RegistrationRepository } from './registration.repository.ts'
import type {
  LeasedRegistration,
  Registration,
  RegistrationExtras,
  RegistrationFailure,
  RegistrationNeighbours,
} from './registration.ts'

export type RegistrationService = ReturnType<typeof createRegistrationService>

const DUE_MS = 15 * 60_000
const RETRY_MS = 2_000
/** Registrations at a time: most of their time is waiting for an examination. */
const LANES = 4
/** Refusals of the caller for now, not of the request. */
const transient: readonly string[] = ['RATE_LIMITED', 'TOKEN_INVALID']

/** A neighbor service refuses a step for good. */
class Refused extends Error {
  readonly failure: RegistrationFailure

  constructor(failure: RegistrationFailure, detail: string) {
    super(detail)
    this.failure = failure
  }
}

/**
 * Registration with a picture and settings is a saga: a transaction reserves the account, other services store
 * what belongs to it, a last transaction activates it. Each step is recorded when it is done and may be repeated,
 * so that any process can resume after a crash. A refused step, or none for 15 minutes, frees the reservation.
 */
export function createRegistrationService(deps: {
  registrations: RegistrationRepository
  neighbours: RegistrationNeighbours
  checkRegistration: AccountService['checkRegistration']
  /** Returns a token for calling neighbor services in the name of the reserved account. */
  bearerOf: (user: { userId: number; username: string }) => string
  log: Service['log']
  onRegistered: () => void
  wakeRelay: () => void
  wakeSaga: () => void
  lanes?: number
}) {
  const { registrations, neighbours, log } = deps

  async function getRegistration(id: string): Promise<Registration> {
    const found = await registrations.find(id)
    if (!found) throw new Problem('REGISTRATION_NOT_FOUND')
    return found
  }

  /** Returns the file id of the claimed picture; null while media-service examines it. */
  async function adoptPicture(lease: LeasedRegistration): Promise<string | null> {
    const identity = identityOf(lease)
    let { fileId } = lease
    if (fileId === null) {
      fileId = await neighbours.upload(identity, lease.picture!)
      await registrations.record(lease, { fileId })
    }
    const { isReady, refusal } = await neighbours.file(identity, fileId)
    if (refusal !== null) throw new Refused('PICTURE_REFUSED', refusal)
    if (!isReady) return null
    await neighbours.claim(identity, fileId)
    await registrations.record(lease, { pictureDoneAt: new Date() })
    return fileId
  }

  function identityOf(lease: LeasedRegistration) {
    return { requestId: lease.id, bearer: deps.bearerOf(lease) }
  }

  /** Performs the missing steps; returns false when the picture is still being examined. */
  async function advance(lease: LeasedRegistration): Promise<boolean> {
    if (lease.dueAt <= new Date())
      throw new Refused('EXPIRED', 'A service did not respond for too long. Sign up again.')
    let { fileId } = lease
    if (!lease.isPictureDone) {
      fileId = await refusing('PICTURE_REFUSED', adoptPicture(lease))
      if (fileId === null) return false
    }
    if (!lease.areSettingsDone) {
      await refusing('SETTINGS_REFUSED', neighbours.savePreferences(identityOf(lease), lease.preferences!))
      await registrations.record(lease, { settingsDoneAt: new Date() })
    }
    await registrations.activate({ ...lease, fileId })
    deps.onRegistered()
    log.info({ user_id: lease.userId, registration_id: lease.id }, 'UserRegistered')
    return true
  }

  async function perform(lease: LeasedRegistration): Promise<void> {
    try {
      if (!(await advance(lease))) await registrations.postpone(lease, RETRY_MS)
    } catch (err) {
      if (err instanceof LeaseLost) return
      if (err instanceof Refused) return compensate(lease, err)
      log.warn({ err, registration_id: lease.id }, 'registration interrupted, retrying later')
      await registrations.postpone(lease, RETRY_MS)
    }
  }

  async function compensate(lease: LeasedRegistration, { failure, message }: Refused): Promise<void> {
    try {
      await registrations.fail(lease, failure, message)
    } catch (err) {
      if (err instanceof LeaseLost) return
      throw err
    }
    deps.wakeRelay()
    log.info({ registration_id: lease.id, failure }, 'registration failed, reservation freed')
  }

  return {
    getRegistration,

    /** Reserves the account. @throws Problem EMAIL_TAKEN, USERNAME_TAKEN, RATE_LIMITED, VALIDATION_FAILED */
    async startRegistration(ctx: Context, signUp: SignUp, extras: RegistrationExtras): Promise<Registration> {
      const account = await deps.checkRegistration(ctx, signUp)
      const id = await orTakenProblem(registrations.reserve(account, extras, DUE_MS))
      deps.wakeSaga()
      ctx.log.info({ registration_id: id }, 'registration started')
      return getRegistration(id)
    },

    /** Performs the steps of every registration that no process works on. */
    async resumeRegistrations(): Promise<void> {
      const first = await registrations.claim()
      // At rest one query, not one for each lane.
      if (!first) return
      const work = async (leased: LeasedRegistration | null) => {
        for (let lease = leased; lease; lease = await registrations.claim()) await perform(lease)
      }
      const others = Array.from({ length: (deps.lanes ?? LANES) - 1 }, async () =>
        work(await registrations.claim()),
      )
      await Promise.all([work(first), ...others])
    },
  }
}

/** Turns a refusal of a neighbor service into the end of the registration. Outages are retried. */
async function refusing<Result>(failure: RegistrationFailure, work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (err) {
    if (!(err instanceof Problem) || transient.includes(err.code)) throw err
    throw new Refused(failure, err.message)
  }
}
