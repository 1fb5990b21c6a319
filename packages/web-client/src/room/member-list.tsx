import {
  banFromRoom,
  inviteRoomMembers,
  type RoomMember,
  removeRoomMember,
  setRoomRole,
  silenceRoomMember,
  unsilenceRoomMember,
} from '@bigtech/client'
import { Ellipsis, UserPlus } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useLocation } from 'wouter'
import { call } from '../core/api.ts'
import { keys, useChat } from '../core/chat.ts'
import { type TextKey, useT } from '../i18n/index.ts'
import { Avatar } from '../ui/avatar.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { Menu } from '../ui/menu.tsx'
import { anchorOf, type MenuAnchor, type MenuItem } from '../ui/menu-item.ts'
import { attempt } from '../ui/notices.tsx'
import { useOpenRoom, useRoomState } from './room-context.ts'

const PickFriends = lazy(() => import('../group/pick-friends-dialog.tsx'))

export function MemberList() {
  const t = useT()
  const chat = useChat()
  const { roomId, members = [] } = useOpenRoom()
  const { room } = useRoomState()
  const [isInviting, setInviting] = useState(false)
  const invite = (ids: number[]) =>
    void attempt(async () => {
      await call(inviteRoomMembers, { params: { room_id: roomId }, body: { member_ids: ids } })
      await chat.queries.invalidateQueries({ queryKey: keys.members(roomId) })
    })
  return (
    <section>
      <h3>{t('room.members', { count: room.member_count })}</h3>
      <button type="button" className="row-link" onClick={() => setInviting(true)}>
        <UserPlus size={18} aria-hidden="true" /> {t('group.invite')}
      </button>
      <ul className="people">
        {members.map((member) => (
          <li key={member.user_id}>
            <MemberRow member={member} />
          </li>
        ))}
      </ul>
      {isInviting && (
        <Suspense>
          <PickFriends
            title={t('group.invite')}
            action={t('group.invite')}
            without={members.map(({ user_id }) => user_id)}
            onPick={invite}
            onClose={() => setInviting(false)}
          />
        </Suspense>
      )}
    </section>
  )
}

function MemberRow({ member }: { member: RoomMember }) {
  const t = useT()
  const { ownId } = useOpenRoom()
  const [menu, setMenu] = useState<MenuAnchor>()
  const items = useMemberActions(member)
  return (
    <div className="person">
      <Avatar name={member.display_name} id={member.user_id} url={member.profile_image_url} size={40} />
      <span className="person-text">
        <span>
          {member.display_name} {member.user_id === ownId && <span className="quiet">({t('you')})</span>}
        </span>
        {member.role !== 'member' && <span className="role">{t(`role.${member.role}` as TextKey)}</span>}
        {member.silenced_until && <span className="quiet">{t('member.silenced')}</span>}
      </span>
      {items.length > 0 && (
        <IconButton
          label={t('member.actions', { name: member.display_name })}
          aria-haspopup="menu"
          onClick={(event) => setMenu(anchorOf(event))}
        >
          <Ellipsis size={18} />
        </IconButton>
      )}
      {menu && (
        <Menu label={member.display_name} anchor={menu} items={items} onClose={() => setMenu(undefined)} />
      )}
    </div>
  )
}

/** Returns the actions available on a member, according to the table in rooms.md. */
function useMemberActions(member: RoomMember): MenuItem[] {
  const t = useT()
  const chat = useChat()
  const [, navigate] = useLocation()
  const { roomId, ownId } = useOpenRoom()
  const { room } = useRoomState()
  if (member.user_id === ownId) return []
  const params = { room_id: roomId, user_id: member.user_id }
  const change = (work: () => Promise<unknown>) => () =>
    void attempt(async () => {
      await work()
      await chat.queries.invalidateQueries({ queryKey: keys.members(roomId) })
      await chat.refreshRoom(roomId)
    })
  const setRole = (role: 'owner' | 'admin' | 'member') =>
    change(() => call(setRoomRole, { params, body: { role } }))
  const silence = (minutes: number | null) =>
    change(() => call(silenceRoomMember, { params, body: { minutes } }))
  const isOwner = room.role === 'owner'
  const mayRemove = isOwner || (room.role === 'admin' && member.role === 'member')
  const items: (MenuItem | false)[] = [
    { label: t('person.open'), onSelect: () => navigate(`/friends/${member.user_id}`) },
    isOwner && member.role === 'member' && { label: t('member.makeAdmin'), onSelect: setRole('admin') },
    isOwner && member.role === 'admin' && { label: t('member.makeMember'), onSelect: setRole('member') },
    isOwner && { label: t('member.makeOwner'), onSelect: setRole('owner') },
    mayRemove && !member.silenced_until && { label: t('member.silenceHour'), onSelect: silence(60) },
    mayRemove && !member.silenced_until && { label: t('member.silence'), onSelect: silence(null) },
    mayRemove &&
      member.silenced_until !== null && {
        label: t('member.unsilence'),
        onSelect: change(() => call(unsilenceRoomMember, { params })),
      },
    mayRemove && {
      label: t('member.remove'),
      isDanger: true,
      onSelect: change(() => call(removeRoomMember, { params })),
    },
    mayRemove && {
      label: t('member.ban'),
      isDanger: true,
      onSelect: change(() => call(banFromRoom, { params })),
    },
  ]
  return items.filter((item) => item !== false)
}
