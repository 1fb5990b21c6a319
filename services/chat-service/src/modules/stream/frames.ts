import type { StreamFrameData, StreamFrameName } from '@bigtech/contracts'

/** A frame as bytes, without an id: the same for every stream that gets it. */
export function frame<Name extends StreamFrameName>(event: Name, data: StreamFrameData<Name>): Buffer {
  return Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}
