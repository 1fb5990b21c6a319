import { useT } from '../i18n/index.ts'
import { Modal } from '../ui/modal.tsx'
import EmojiPicker from './emoji-picker.tsx'

/** All emoji, for a reaction. */
export default function EmojiDialog(props: { onPick: (emoji: string) => void; onClose: () => void }) {
  const t = useT()
  const pick = (emoji: string) => {
    props.onPick(emoji)
    props.onClose()
  }
  return (
    <Modal title={t('emoji.title')} onClose={props.onClose}>
      <EmojiPicker onPick={pick} />
    </Modal>
  )
}
