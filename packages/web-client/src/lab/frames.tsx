import type { StreamFrame } from '@bigtech/client'
import type { LoggedFrame } from '../core/live.ts'

/** The frames of the stream, newest first, with expandable data. */
export function Frames({ frames }: { frames: readonly LoggedFrame[] }) {
  return (
    <ul className="lab-frames">
      {[...frames].reverse().map(({ id, at, frame }) => (
        <li key={id}>
          <details>
            <summary>
              <time>{new Date(at).toISOString().slice(11, 23)}</time> <b>{frame.event}</b> {placeOf(frame)}
            </summary>
            <pre>{JSON.stringify(frame.data, null, 2)}</pre>
          </details>
        </li>
      ))}
    </ul>
  )
}

function placeOf(frame: StreamFrame): string {
  const { data } = frame
  const parts: string[] = []
  if ('room_id' in data) parts.push(`room ${data.room_id}`)
  if ('seq' in data) parts.push(`seq ${data.seq}`)
  if ('cseq' in data) parts.push(`cseq ${data.cseq}`)
  if ('reason' in data) parts.push(data.reason)
  return parts.join(' · ')
}
