import { useState } from 'react'
import { useFriends } from '../core/queries.ts'
import { useT } from '../i18n/index.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Empty } from '../ui/empty.tsx'

interface PickFriendsProps {
  readonly chosen: readonly number[]
  readonly onChange: (ids: readonly number[]) => void
  /** User ids to omit: existing members. */
  readonly without?: readonly number[]
}

/** A filterable list of friends with check boxes. */
export function PickFriends({ chosen, onChange, without = [] }: PickFriendsProps) {
  const t = useT()
  const friends = useFriends().data ?? []
  const [filter, setFilter] = useState('')
  const wanted = filter.trim().toLowerCase()
  const offered = friends
    .filter(({ user_id }) => !without.includes(user_id))
    .filter(({ display_name, username }) => `${display_name} ${username}`.toLowerCase().includes(wanted))
  const toggle = (id: number) =>
    onChange(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id])
  return (
    <>
      <input
        type="search"
        value={filter}
        onChange={(event) => setFilter(event.target.value)}
        placeholder={t('friends.filter')}
        aria-label={t('friends.filter')}
      />
      {offered.length === 0 && <Empty title={t('friends.nobodyToAdd')} />}
      <ul className="pick-list">
        {offered.map((friend) => (
          <li key={friend.user_id}>
            <label>
              <input
                type="checkbox"
                checked={chosen.includes(friend.user_id)}
                onChange={() => toggle(friend.user_id)}
              />
              <Avatar
                name={friend.display_name}
                id={friend.user_id}
                url={friend.profile_image_url}
                size={36}
              />
              {friend.display_name}
            </label>
          </li>
        ))}
      </ul>
    </>
  )
}
