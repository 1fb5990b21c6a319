import {
  getRegistration,
  type RegistrationView,
  registrationSteps,
  startRegistration,
} from '@bigtech/contracts'
import { route } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import { subscriberOf } from '../session/device.ts'
import type { RegistrationService } from './registration.service.ts'
import type { Registration } from './registration.ts'

export async function registrationRoutes(
  app: FastifyInstance,
  { registrations }: { registrations: RegistrationService },
): Promise<void> {
  route(app, startRegistration, async ({ body }, ctx, { request }) => {
    const { email, username, password, display_name: displayName, locale, picture } = body
    const subscriber = subscriberOf(request.ip)
    const signUp = { email, username, password, displayName, locale, subscriber }
    const started = await registrations.startRegistration(ctx, signUp, {
      picture: picture ? { mime: picture.mime, bytes: Buffer.from(picture.data, 'base64') } : null,
      preferences: body.notification_preferences ?? null,
    })
    return registrationBody(started)
  })

  route(app, getRegistration, async ({ params }) =>
    registrationBody(await registrations.getRegistration(params.registration_id)),
  )
}

function registrationBody(registration: Registration): RegistrationView {
  const { state, finishedAt, failure } = registration
  const doneAt = {
    reserve: registration.requestedAt,
    picture: registration.pictureDoneAt,
    settings: registration.settingsDoneAt,
    activate: state === 'completed' ? finishedAt : null,
  }
  const isPart = {
    reserve: true,
    picture: registration.hasPicture,
    settings: registration.hasSettings,
    activate: true,
  }
  return {
    registration_id: registration.id,
    state,
    user_id: state === 'completed' ? registration.userId : null,
    requested_at: registration.requestedAt.toISOString(),
    due_at: registration.dueAt.toISOString(),
    finished_at: finishedAt?.toISOString() ?? null,
    failure: failure && { ...failure },
    steps: registrationSteps
      .filter((step) => isPart[step])
      .map((step) => ({
        step,
        state: doneAt[step] ? 'done' : 'pending',
        done_at: doneAt[step]?.toISOString() ?? null,
      })),
  }
}
