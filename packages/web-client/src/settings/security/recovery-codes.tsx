import { saveAs } from '../../core/save-as.ts'
import { useT } from '../../i18n/index.ts'
import { attempt, notify } from '../../ui/notices.tsx'

const FILE_NAME = 'bigtech-chat-recovery-codes.txt'

/** Shows recovery codes once, because the server keeps only their hashes. */
export function RecoveryCodes({ codes, onKept }: { codes: readonly string[]; onKept: () => void }) {
  const t = useT()
  const text = `${codes.join('\n')}\n`
  const copy = () =>
    void attempt(async () => {
      await navigator.clipboard.writeText(text)
      notify(t('message.copied'))
    })
  return (
    <>
      <h4>{t('security.codes')}</h4>
      <p role="status">{t('security.codesText')}</p>
      <ul className="recovery-codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div className="button-row">
        <button type="button" onClick={copy}>
          {t('security.copyCodes')}
        </button>
        <button type="button" onClick={() => saveAs(new Blob([text], { type: 'text/plain' }), FILE_NAME)}>
          {t('security.saveCodes')}
        </button>
        <button type="button" className="primary" onClick={onKept}>
          {t('security.codesKept')}
        </button>
      </div>
    </>
  )
}
