/** An accepted type of content and its recognition. */
export interface FileType {
  readonly kind: 'image' | 'video' | 'audio' | 'document'
  /** The stored and served type, regardless of the client's declaration. */
  readonly mime: string
  /** The `file-type` results of its first bytes; empty for plain text, which has no signature. */
  readonly signatures: readonly string[]
  readonly extensions: readonly string[]
  /** Alternative names of this type sent by clients. */
  readonly aliases?: readonly string[]
  /** Set for archives; this entry proves the type. */
  readonly archiveEntry?: RegExp
}

const office = 'application/vnd.openxmlformats-officedocument'
const zip = ['application/zip']

/** All accepted types. No HTML, no SVG, nothing that a browser or a system would execute. */
export const fileTypes: readonly FileType[] = [
  {
    kind: 'image',
    mime: 'image/jpeg',
    signatures: ['image/jpeg'],
    extensions: ['jpg', 'jpeg', 'jfif'],
    aliases: ['image/jpg', 'image/pjpeg'],
  },
  { kind: 'image', mime: 'image/png', signatures: ['image/png', 'image/apng'], extensions: ['png', 'apng'] },
  { kind: 'image', mime: 'image/webp', signatures: ['image/webp'], extensions: ['webp'] },
  { kind: 'image', mime: 'image/gif', signatures: ['image/gif'], extensions: ['gif'] },
  { kind: 'video', mime: 'video/mp4', signatures: ['video/mp4', 'video/x-m4v'], extensions: ['mp4', 'm4v'] },
  { kind: 'video', mime: 'video/quicktime', signatures: ['video/quicktime'], extensions: ['mov', 'qt'] },
  { kind: 'video', mime: 'video/webm', signatures: ['video/webm', 'video/matroska'], extensions: ['webm'] },
  {
    kind: 'audio',
    mime: 'audio/mpeg',
    signatures: ['audio/mpeg'],
    extensions: ['mp3'],
    aliases: ['audio/mp3'],
  },
  {
    kind: 'audio',
    mime: 'audio/mp4',
    signatures: ['audio/mp4', 'audio/x-m4a', 'video/mp4'],
    extensions: ['m4a', 'mp4'],
    aliases: ['audio/m4a', 'audio/x-m4a', 'audio/aac'],
  },
  {
    kind: 'audio',
    mime: 'audio/wav',
    signatures: ['audio/wav'],
    extensions: ['wav'],
    aliases: ['audio/x-wav', 'audio/wave', 'audio/vnd.wave'],
  },
  {
    kind: 'audio',
    mime: 'audio/ogg',
    signatures: ['audio/ogg', 'audio/ogg; codecs=opus', 'audio/opus', 'application/ogg'],
    extensions: ['ogg', 'oga', 'opus'],
    aliases: ['audio/opus'],
  },
  {
    kind: 'audio',
    mime: 'audio/webm',
    signatures: ['video/webm', 'video/matroska', 'audio/webm'],
    extensions: ['webm', 'weba'],
  },
  { kind: 'document', mime: 'application/pdf', signatures: ['application/pdf'], extensions: ['pdf'] },
  {
    kind: 'document',
    mime: `${office}.spreadsheetml.sheet`,
    signatures: [`${office}.spreadsheetml.sheet`, ...zip],
    extensions: ['xlsx'],
    archiveEntry: /^xl\/workbook\.xml$/,
  },
  {
    kind: 'document',
    mime: `${office}.wordprocessingml.document`,
    signatures: [`${office}.wordprocessingml.document`, ...zip],
    extensions: ['docx'],
    archiveEntry: /^word\/document\.xml$/,
  },
  {
    kind: 'document',
    mime: `${office}.presentationml.presentation`,
    signatures: [`${office}.presentationml.presentation`, ...zip],
    extensions: ['pptx'],
    archiveEntry: /^ppt\/presentation\.xml$/,
  },
  {
    kind: 'document',
    mime: 'application/zip',
    signatures: zip,
    extensions: ['zip'],
    aliases: ['application/x-zip-compressed'],
    archiveEntry: /^/,
  },
  {
    kind: 'document',
    mime: 'text/plain',
    signatures: [],
    extensions: ['txt', 'log', 'md'],
    aliases: ['text/markdown'],
  },
  {
    kind: 'document',
    mime: 'text/csv',
    signatures: [],
    extensions: ['csv'],
    aliases: ['application/csv', 'application/vnd.ms-excel'],
  },
]

/** Returns the extension of a name in lower case without the dot; empty when there is none. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot <= 0 ? '' : name.slice(dot + 1).toLowerCase()
}

/**
 * Returns the type of a file from the declared type and the extension, which must agree, except
 * that `application/octet-stream` matches any. Undefined: not accepted.
 */
export function declaredType(name: string, mime: string): FileType | undefined {
  const said = mime.split(';', 1)[0]!.trim().toLowerCase()
  const byName = fileTypes.filter(({ extensions }) => extensions.includes(extensionOf(name)))
  if (said === '' || said === 'application/octet-stream') return byName[0]
  return byName.find((type) => type.mime === said || type.aliases?.includes(said))
}
