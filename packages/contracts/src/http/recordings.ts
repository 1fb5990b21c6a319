import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { idParam, pageOf, pageQuery } from './paging.ts'
import { recording, recordingExample } from './practice-shapes.ts'

const tag = 'practice'
const ofRecording = z.object({ job_id: z.uuid().meta({ examples: [recordingExample.job_id] }) })

export const listRecordings = defineRoute({
  operationId: 'listRecordings',
  method: 'GET',
  path: '/mypage/recordings',
  tag,
  summary: 'Your recordings, newest first',
  query: z.object({ ...pageQuery.shape, token_id: idParam.optional() }),
  success: {
    status: 200,
    description: 'A page of recordings, also of those that failed or are being analyzed.',
    schema: pageOf(recording),
    example: { items: [recordingExample], next_cursor: null },
  },
  problems: ['CURSOR_INVALID'],
})

export const getRecordingContent = defineRoute({
  operationId: 'getRecordingContent',
  method: 'GET',
  path: '/mypage/recordings/:job_id/content',
  tag,
  summary: 'The bytes of a recording of yours',
  params: ofRecording,
  success: { status: 200, description: 'The recording as it was uploaded.', contentType: 'audio/*' },
  problems: ['ANALYSIS_NOT_FOUND'],
})

export const deleteRecording = defineRoute({
  operationId: 'deleteRecording',
  method: 'DELETE',
  path: '/mypage/recordings/:job_id',
  tag,
  summary: 'Delete a recording of yours with its scores',
  description: 'Also while it is being analyzed; the result is then dropped.',
  params: ofRecording,
  success: { status: 204, description: 'It and its bytes are gone.' },
  problems: ['ANALYSIS_NOT_FOUND'],
})
