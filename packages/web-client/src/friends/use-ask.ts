import { sendFriendRequest } from '@bigtech/client'
import { call } from '../core/api.ts'
import { keys, useChat } from '../core/chat.ts'
import { useT } from '../i18n/index.ts'
import { attempt, notify } from '../ui/notices.tsx'

/** Sends a friend request and reports the result; resolves to false when it was refused. */
export function useAsk(): (userId: number, message?: string) => Promise<boolean> {
  const t = useT()
  const chat = useChat()
  return (target_user_id, message) =>
    attempt(async () => {
      const body = { target_user_id, ...(message ? { message } : {}) }
      const { status } = await call(sendFriendRequest, { body })
      notify(status === 'accepted' ? t('friends.nowFriends') : t('friends.requestSent'))
      await Promise.all([
        chat.queries.invalidateQueries({ queryKey: ['requests'] }),
        chat.queries.invalidateQueries({ queryKey: keys.friends }),
      ])
    })
}
