import { createFriendInvite, revokeFriendInvites } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { call } from '../core/api.ts'
import { dateAndTime } from '../core/times.ts'
import { useLanguage, useT } from '../i18n/index.ts'
import { Failed } from '../ui/failed.tsx'
import { Modal } from '../ui/modal.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import { Spinner } from '../ui/spinner.tsx'
import QrCode from './qr-code.tsx'

/** Creates a new invite link each time it opens, shown as an address and a QR code. */
export default function InviteDialog({ onClose }: { onClose: () => void }) {
  const t = useT()
  const language = useLanguage()
  const { data, error, refetch } = useQuery({
    queryKey: ['invite'],
    queryFn: () => call(createFriendInvite, {}),
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  })
  const address = data && `${location.origin}/add#${data.token}`
  const copy = () =>
    void attempt(async () => {
      await navigator.clipboard.writeText(address ?? '')
      notify(t('link.copied'))
    })
  const revoke = () =>
    void attempt(async () => {
      await call(revokeFriendInvites, {})
      notify(t('invite.revoked'))
      onClose()
    })
  return (
    <Modal title={t('invite.title')} onClose={onClose}>
      {error && <Failed error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Spinner />}
      {data && address && (
        <div className="invite">
          <QrCode text={address} label={t('invite.qr')} />
          <input
            className="made-link"
            readOnly
            value={address}
            aria-label={t('invite.link')}
            onFocus={(event) => event.target.select()}
          />
          <p className="quiet">{t('link.until', { when: dateAndTime(data.expires_at, language) })}</p>
          <div className="modal-actions">
            <button type="button" onClick={revoke}>
              {t('invite.revoke')}
            </button>
            <button type="button" className="primary" onClick={copy}>
              {t('invite.copy')}
            </button>
          </div>
        </div>
      )}
    </Modal>
  )
}
