import type { StreamOutput } from '../src/modules/stream/stream-output.ts'
import { type StreamHost, StreamSession } from '../src/modules/stream/stream-session.ts'

export interface RecordedSession {
  readonly session: StreamSession
  /** Returns what was sent. */
  text(): string
  /** Sets for how many milliseconds the connection is blocked. */
  stall(ms: number): void
}

/** Creates a stream without a connection that records what is sent. */
export function recordedSession(
  options: {
    readonly userId?: number
    readonly acknowledges?: boolean
    readonly host?: Partial<StreamHost>
  } = {},
): RecordedSession {
  const { userId = 1, acknowledges = false, host = {} } = options
  let text = ''
  let stalledMs = 0
  const output: Partial<StreamOutput> = {
    push: (...parts: readonly Buffer[]) => {
      text += parts.join('')
    },
    stalledMs: () => stalledMs,
    discard: () => undefined,
    destroy: () => undefined,
    end: () => undefined,
  }
  const session = new StreamSession({
    id: `s${userId}`,
    userId,
    loginId: 'l',
    acknowledges,
    output: output as StreamOutput,
    host: {
      lastSweep: { startedAt: 0, verifiedBefore: 0 },
      onFrame: () => undefined,
      onUnsent: () => undefined,
      onClosed: () => undefined,
      ...host,
    },
  })
  return {
    session,
    text: () => text,
    stall: (ms) => {
      stalledMs = ms
    },
  }
}
