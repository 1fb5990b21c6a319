import { analyzeMessage, deleteMessage, type Message, pinMessage, unpinMessage } from '@bigtech/client'
import {
  Copy,
  FileSearch,
  Flag,
  Forward,
  History,
  Pencil,
  Pin,
  PinOff,
  Reply,
  SmilePlus,
  Trash2,
} from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { call } from '../core/api.ts'
import { useT } from '../i18n/index.ts'
import { Menu } from '../ui/menu.tsx'
import type { MenuAnchor, MenuItem } from '../ui/menu-item.ts'
import { attempt, notify } from '../ui/notices.tsx'
import { failureOf, isDocument } from './document-analysis.ts'
import { useReact } from './reactions.tsx'
import { useOpenRoom, useRoomState } from './room-context.ts'

const Confirm = lazy(() => import('../ui/confirm.tsx'))
const ForwardDialog = lazy(() => import('./forward-dialog.tsx'))
const VersionsDialog = lazy(() => import('./versions-dialog.tsx'))
const QuickReactions = lazy(() => import('./quick-reactions.tsx'))
const ReportDialog = lazy(() => import('../moderation/report-dialog.tsx'))
const EmojiDialog = lazy(() => import('./emoji-dialog.tsx'))

export interface OpenMenu {
  readonly message: Message
  readonly anchor: MenuAnchor
}

type Dialog = {
  readonly kind: 'forward' | 'versions' | 'emoji' | 'delete' | 'hide' | 'report'
  readonly message: Message
}

const EDIT_WINDOW_MS = 24 * 3_600_000

interface MessageMenuProps {
  readonly menu: OpenMenu | undefined
  readonly onClose: () => void
}

/** The actions on a message, and their dialogs. */
export default function MessageMenu({ menu, onClose }: MessageMenuProps) {
  const t = useT()
  const [dialog, setDialog] = useState<Dialog>()
  const react = useReact()
  const itemsOf = useItems(setDialog)
  const close = () => setDialog(undefined)
  return (
    <>
      {menu && (
        <Menu
          label={t('message.actions')}
          anchor={menu.anchor}
          items={itemsOf(menu.message)}
          header={<QuickReactions onPick={(emoji) => react(menu.message, emoji)} />}
          onClose={onClose}
        />
      )}
      <Suspense>
        {dialog?.kind === 'forward' && <ForwardDialog message={dialog.message} onClose={close} />}
        {dialog?.kind === 'versions' && <VersionsDialog message={dialog.message} onClose={close} />}
        {dialog?.kind === 'emoji' && (
          <EmojiDialog onPick={(emoji) => react(dialog.message, emoji)} onClose={close} />
        )}
        {dialog?.kind === 'report' && (
          <ReportDialog
            subject={{ message_id: dialog.message.message_id }}
            name={dialog.message.username}
            onClose={close}
          />
        )}
        {(dialog?.kind === 'delete' || dialog?.kind === 'hide') && (
          <DeleteDialog message={dialog.message} isForAll={dialog.kind === 'delete'} onClose={close} />
        )}
      </Suspense>
    </>
  )
}

function useItems(open: (dialog: Dialog) => void) {
  const t = useT()
  const { roomId, window, ownId, setFocus } = useOpenRoom()
  const { room } = useRoomState()
  const pin = (message: Message) =>
    void attempt(async () => {
      const params = { room_id: roomId, message_id: message.message_id }
      window.take(await call(message.pinned_at ? unpinMessage : pinMessage, { params }))
    })
  const copy = (message: Message) =>
    void attempt(async () => {
      await navigator.clipboard.writeText(message.content)
      notify(t('message.copied'))
    })
  // The report arrives as a message; only a failure must be reported here.
  const analyze = ({ message_id }: Message) =>
    void attempt(async () => {
      const { data } = await call(analyzeMessage, { body: { message_id } })
      notify(t('document.started'))
      const reason = await failureOf(data.document_id)
      if (reason !== undefined) notify(t('document.failed', { reason }))
    })
  return (message: Message): MenuItem[] => {
    const isMine = message.user_id === ownId
    const isRecent = Date.now() - Date.parse(message.created_at) < EDIT_WINDOW_MS
    const mayDelete = isMine || (room.room_type === 'group' && room.role !== 'member')
    const isText = message.message_type === 'text'
    const all: (MenuItem | false)[] = [
      {
        label: t('message.reply'),
        icon: <Reply size={18} />,
        onSelect: () => setFocus({ kind: 'reply', message }),
      },
      {
        label: t('reaction.more'),
        icon: <SmilePlus size={18} />,
        onSelect: () => open({ kind: 'emoji', message }),
      },
      message.content !== '' && {
        label: t('message.copy'),
        icon: <Copy size={18} />,
        onSelect: () => copy(message),
      },
      {
        label: t('message.forward'),
        icon: <Forward size={18} />,
        onSelect: () => open({ kind: 'forward', message }),
      },
      isDocument(message) && {
        label: t('document.analyze'),
        icon: <FileSearch size={18} />,
        onSelect: () => analyze(message),
      },
      {
        label: message.pinned_at ? t('message.unpin') : t('message.pin'),
        icon: message.pinned_at ? <PinOff size={18} /> : <Pin size={18} />,
        onSelect: () => pin(message),
      },
      isMine &&
        isText &&
        isRecent && {
          label: t('message.edit'),
          icon: <Pencil size={18} />,
          onSelect: () => setFocus({ kind: 'edit', message }),
        },
      message.edited_at !== null && {
        label: t('message.versions'),
        icon: <History size={18} />,
        onSelect: () => open({ kind: 'versions', message }),
      },
      !isMine && {
        label: t('report.action'),
        icon: <Flag size={18} />,
        isDanger: true,
        onSelect: () => open({ kind: 'report', message }),
      },
      {
        label: t('message.hide'),
        icon: <Trash2 size={18} />,
        isDanger: true,
        onSelect: () => open({ kind: 'hide', message }),
      },
      mayDelete && {
        label: t('message.delete'),
        icon: <Trash2 size={18} />,
        isDanger: true,
        onSelect: () => open({ kind: 'delete', message }),
      },
    ]
    return all.filter((item) => item !== false)
  }
}

interface DeleteDialogProps {
  readonly message: Message
  readonly isForAll: boolean
  readonly onClose: () => void
}

function DeleteDialog({ message, isForAll, onClose }: DeleteDialogProps) {
  const t = useT()
  const { roomId, window } = useOpenRoom()
  const remove = () =>
    void attempt(async () => {
      const params = { room_id: roomId, message_id: message.message_id }
      const query = { for: isForAll ? ('all' as const) : ('me' as const) }
      window.take(await call(deleteMessage, { params, query }))
    })
  return (
    <Confirm
      title={isForAll ? t('message.delete') : t('message.hide')}
      text={isForAll ? t('message.deleteText') : t('message.hideText')}
      action={t('delete')}
      onConfirm={remove}
      onClose={onClose}
    />
  )
}
