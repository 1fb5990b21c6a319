import type { NotificationPreferences, RegistrationPicture } from '@bigtech/contracts'
import type { CallIdentity } from '@bigtech/service-kit'

export type RegistrationState = 'running' | 'completed' | 'failed'
export type RegistrationFailure = 'PICTURE_REFUSED' | 'SETTINGS_REFUSED' | 'EXPIRED'
export type PictureMime = RegistrationPicture['mime']

interface Picture {
  readonly mime: PictureMime
  readonly bytes: Uint8Array
}

/** What a registration sets up in other services before the account is active. */
export interface RegistrationExtras {
  readonly picture: Picture | null
  readonly preferences: NotificationPreferences | null
}

/** A registration as its owner sees it. */
export interface Registration {
  readonly id: string
  readonly userId: number
  readonly state: RegistrationState
  readonly hasPicture: boolean
  readonly hasSettings: boolean
  readonly pictureDoneAt: Date | null
  readonly settingsDoneAt: Date | null
  readonly requestedAt: Date
  readonly dueAt: Date
  readonly finishedAt: Date | null
  readonly failure: { readonly code: RegistrationFailure; readonly detail: string } | null
}

/** A running registration, leased to this process. */
export interface LeasedRegistration extends RegistrationExtras {
  readonly id: string
  readonly leaseId: string
  readonly userId: number
  readonly username: string
  /** The uploaded picture; null before the upload. */
  readonly fileId: string | null
  readonly isPictureDone: boolean
  readonly areSettingsDone: boolean
  readonly dueAt: Date
}

/** The calls to other services, in the name of the reserved account. All are idempotent but `upload`. */
export interface RegistrationNeighbours {
  /** Uploads the picture and returns its file id. A file that nothing claims is removed by media-service. */
  upload(identity: CallIdentity, picture: Picture): Promise<string>
  /** Waits some seconds for the examination. `refusal`: why the picture is not accepted. */
  file(
    identity: CallIdentity,
    fileId: string,
  ): Promise<{ readonly isReady: boolean; readonly refusal: string | null }>
  claim(identity: CallIdentity, fileId: string): Promise<void>
  savePreferences(identity: CallIdentity, preferences: NotificationPreferences): Promise<void>
}
