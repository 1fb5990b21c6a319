import { useState } from 'react'
import { Modal } from '../ui/modal.tsx'
import { PickFriends } from './pick-friends.tsx'

interface PickFriendsDialogProps {
  readonly title: string
  readonly action: string
  readonly without: readonly number[]
  readonly onPick: (ids: number[]) => void
  readonly onClose: () => void
}

export default function PickFriendsDialog(props: PickFriendsDialogProps) {
  const [chosen, setChosen] = useState<readonly number[]>([])
  const pick = () => {
    props.onPick([...chosen])
    props.onClose()
  }
  return (
    <Modal title={props.title} onClose={props.onClose}>
      <PickFriends chosen={chosen} onChange={setChosen} without={props.without} />
      <div className="modal-actions">
        <button type="button" className="primary" disabled={chosen.length === 0} onClick={pick}>
          {props.action}
        </button>
      </div>
    </Modal>
  )
}
