/** The rules and texts of notifications. Pure. */

/** Mails with a one-time link. */
export type AccountMailKind =
  | 'verify_email'
  | 'change_email'
  | 'undo_email'
  | 'reset_password'
  | 'end_session'
  | 'download_export'
export type DeliveryKind = 'welcome' | 'friend_request' | 'friend_accepted' | 'message' | AccountMailKind
export type Channel = 'mail' | 'push'
/** Every state except `pending` is final. */
export type DeliveryState =
  | 'pending'
  | 'sent'
  | 'no_subscription'
  | 'connected'
  | 'withdrawn'
  | 'disabled'
  | 'failed'
export type Language = 'ko' | 'en'

/** Deleted when the delivery is finished. */
export interface MessageContent {
  readonly from: string
  readonly text: string
  readonly type: string
}

export interface Delivery {
  readonly id: string
  readonly userId: number
  readonly kind: DeliveryKind
  readonly channel: Channel
  readonly state: DeliveryState
  readonly eventId: string
  readonly eventCount: number
  readonly actorId: number | null
  readonly linkId: string | null
  readonly roomId: number | null
  readonly mentioned: boolean
  readonly content: MessageContent | null
  readonly attempts: number
  readonly createdAt: Date
  readonly finishedAt: Date | null
}

export interface Mail {
  readonly subject: string
  readonly text: string
}

export interface PushNotice {
  readonly title: string
  readonly body: string
}

const PREVIEW_LENGTH = 120
const MAX_ATTEMPTS: Record<Channel, number> = { mail: 10, push: 6 }
const FIRST_RETRY_MS = 5_000
const LAST_RETRY_MS = 60 * 60 * 1_000

/** Returns Korean for Korean locales, English otherwise. */
export function languageOf(locale: string | null | undefined): Language {
  return /^ko\b/i.test(locale ?? '') ? 'ko' : 'en'
}

/** Returns the delay after the given number of failed attempts; undefined: give up. */
export function retryDelayMs(channel: Channel, attempts: number, random: number): number | undefined {
  if (attempts >= MAX_ATTEMPTS[channel]) return undefined
  const ceiling = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 4 ** (attempts - 1))
  return Math.round(ceiling * (0.75 + random / 2))
}

/** Returns the beginning of a message on one line, cut at a character boundary. */
export function previewOf(content: string): string {
  const characters = [...content.replace(/\s+/g, ' ').trim()]
  if (characters.length <= PREVIEW_LENGTH) return characters.join('')
  return `${characters.slice(0, PREVIEW_LENGTH - 1).join('')}…`
}

/**
 * Returns the welcome mail. The address is unverified and may belong to a stranger, so the mail contains no
 * text written at sign-up, neither name nor username.
 */
export function welcomeMail(language: Language): Mail {
  if (language === 'ko') {
    return {
      subject: 'BigTech Chat에 오신 것을 환영합니다',
      text: '안녕하세요!\n\n가입이 완료되었습니다. 친구를 찾아 첫 메시지를 보내 보세요.\n\n본인이 가입하지 않았다면 이 메일을 무시하셔도 됩니다.\n\nBigTech Chat 드림\n',
    }
  }
  return {
    subject: 'Welcome to BigTech Chat',
    text: 'Hello,\n\nYour account is ready. Find a friend and send your first message.\n\nIf you did not sign up, you can ignore this mail.\n\nBigTech Chat\n',
  }
}

const words = {
  ko: {
    request: (name: string) => `${name}님이 친구 요청을 보냈습니다.`,
    accepted: (name: string) => `${name}님과 친구가 되었습니다.`,
    somebody: '누군가',
    messages: (count: number) => (count === 1 ? '새 메시지가 있습니다.' : `새 메시지 ${count}개가 있습니다.`),
    more: (count: number) => ` (외 ${count}개)`,
    image: '사진을 보냈습니다.',
    file: '파일을 보냈습니다.',
    voice: '음성 메시지를 보냈습니다.',
    video: '동영상을 보냈습니다.',
    mentioned: '나를 언급: ',
  },
  en: {
    request: (name: string) => `${name} wants to be your friend.`,
    accepted: (name: string) => `You and ${name} are friends now.`,
    somebody: 'Somebody',
    messages: (count: number) =>
      count === 1 ? 'You have a new message.' : `You have ${count} new messages.`,
    more: (count: number) => ` (and ${count} more)`,
    image: 'sent a photo.',
    file: 'sent a file.',
    voice: 'sent a voice message.',
    video: 'sent a video.',
    mentioned: 'Mentioned you: ',
  },
} as const

/** Returns the push notification of a friend request or its acceptance. */
export function friendNotice(
  kind: 'friend_request' | 'friend_accepted',
  name: string | null | undefined,
  language: Language,
): PushNotice {
  const { request, accepted, somebody } = words[language]
  const body = kind === 'friend_request' ? request(name ?? somebody) : accepted(name ?? somebody)
  return { title: 'BigTech Chat', body }
}

/** Returns the push notification of one message, or of a burst of messages in one room. */
export function messageNotice(
  delivery: Pick<Delivery, 'eventCount' | 'mentioned' | 'content'>,
  /** Null: must not be named. Undefined: unknown, so the name in the message is used. */
  sender: string | null | undefined,
  room: { readonly roomType: string; readonly name: string | null } | undefined,
  options: { readonly language: Language; readonly showPreview: boolean },
): PushNotice {
  const text = words[options.language]
  const { content, eventCount } = delivery
  if (!content || !options.showPreview) return { title: 'BigTech Chat', body: text.messages(eventCount) }
  const from = sender === null ? text.somebody : (sender ?? content.from)
  const isGroup = room?.roomType === 'group'
  const said =
    content.type in text ? text[content.type as 'image' | 'file' | 'voice' | 'video'] : content.text
  const more = eventCount > 1 ? text.more(eventCount - 1) : ''
  const mention = delivery.mentioned ? text.mentioned : ''
  return {
    title: isGroup ? (room.name ?? from) : from,
    body: `${mention}${isGroup ? `${from}: ` : ''}${said}${more}`,
  }
}
