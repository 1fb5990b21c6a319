import { type Deletion as DeletionBody, deleteMyAccount, getDeletion } from '@bigtech/contracts'
import { route } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import type { DeletionService } from './deletion.service.ts'
import type { Deletion } from './deletion.ts'

export async function deletionRoutes(
  app: FastifyInstance,
  { deletions }: { deletions: DeletionService },
): Promise<void> {
  route(app, deleteMyAccount, async ({ body }, ctx) =>
    deletionBody(
      await deletions.deleteMyAccount(ctx, {
        password: body.password,
        code: body.code,
        messagePolicy: body.message_policy,
      }),
    ),
  )

  route(app, getDeletion, async ({ params }) => deletionBody(await deletions.getDeletion(params.deletion_id)))
}

function deletionBody(deletion: Deletion): DeletionBody {
  return {
    deletion_id: deletion.id,
    state: deletion.state,
    message_policy: deletion.messagePolicy,
    requested_at: deletion.requestedAt.toISOString(),
    due_at: deletion.dueAt.toISOString(),
    completed_at: deletion.completedAt?.toISOString() ?? null,
    steps: deletion.steps.map(({ step, doneAt }) => ({
      step,
      state: doneAt ? 'done' : 'pending',
      done_at: doneAt?.toISOString() ?? null,
    })),
  }
}
