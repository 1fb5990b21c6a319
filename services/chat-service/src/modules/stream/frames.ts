import type { StreamFrameData, StreamFrameName } from '@bigtech/contracts'

/** Serializes a frame without an `id:` line, once for every stream that receives it. */
export function frame<Name extends StreamFrameName>(event: Name, data: StreamFrameData<Name>): Buffer {
  return Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}
