import { exportFiles } from '@bigtech/contracts'
import { route } from '@bigtech/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import type { Stores } from '../../stores.ts'
import { documentView } from '../documents/document.ts'
import { storedFileView } from '../files/file.ts'
import { recordingView } from '../practice/take.ts'

export interface ExportRoutesOptions {
  readonly stores: Pick<Stores, 'files' | 'documentQueries' | 'takes' | 'scripts'>
}

/** The part of this service in the archive of an account. */
export const exportRoutes: FastifyPluginAsync<ExportRoutesOptions> = async (app, { stores }) => {
  const { files, documentQueries, takes, scripts } = stores
  route(app, exportFiles, async (_input, { actor: { userId } }) => ({
    user_id: userId,
    exported_at: new Date().toISOString(),
    files: (await files.all(userId)).map(storedFileView),
    documents: (await documentQueries.all(userId)).map(documentView),
    recordings: (await takes.list(userId)).map(recordingView),
    bookmarks: (await scripts.listBookmarks(userId)).map(({ tokenId, createdAt }) => ({
      token_id: tokenId,
      created_at: createdAt.toISOString(),
    })),
  }))
}
