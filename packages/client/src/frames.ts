import { type StreamFrames, streamFrameNames } from './operations.ts'

export type StreamFrameName = keyof StreamFrames
export type StreamFrameData<Name extends StreamFrameName> = StreamFrames[Name]
/** A frame of the stream. */
export type StreamFrame = {
  [Name in StreamFrameName]: { event: Name; data: StreamFrames[Name] }
}[StreamFrameName]

const known = new Set<string>(streamFrameNames)
/** Fields that determine the order of frames. */
const numbers = ['room_id', 'seq', 'cseq', 'delay_ms'] as const
const lists = ['rooms', 'heads', 'positions'] as const

/** Parses a frame; undefined for an unknown or malformed frame. */
export function readFrame(name: string, text: string): StreamFrame | undefined {
  if (!known.has(name)) return undefined
  const data = parse(text)
  if (!data) return undefined
  const isWrong =
    numbers.some((field) => field in data && !Number.isSafeInteger(data[field])) ||
    lists.some((field) => field in data && !Array.isArray(data[field]))
  return isWrong ? undefined : ({ event: name, data } as unknown as StreamFrame)
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const data: unknown = JSON.parse(text)
    return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
