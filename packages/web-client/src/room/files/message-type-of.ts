import type { OutgoingFile } from '../../core/outgoing-message.ts'

const images = ['image/jpeg', 'image/png', 'image/webp', 'image/gif']
const videos = ['video/mp4', 'video/quicktime', 'video/webm']

/** Returns the message type for a file: formats that browsers cannot display are sent as files. */
export function messageTypeOf(mime: string): OutgoingFile['type'] {
  if (images.includes(mime)) return 'image'
  return videos.includes(mime) ? 'video' : 'file'
}
