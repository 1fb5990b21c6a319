import { getStorageUsage } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { call } from '../core/api.ts'
import { sizeOf } from '../core/sizes.ts'
import { useLanguage, useT } from '../i18n/index.ts'

/** How much of the storage for files is used. Absent while that cannot be told. */
export function StorageLine() {
  const t = useT()
  const language = useLanguage()
  const { data } = useQuery({ queryKey: ['storage'], queryFn: () => call(getStorageUsage, {}) })
  if (!data) return null
  const used = sizeOf(data.used_bytes, language)
  const quota = sizeOf(data.quota_bytes, language)
  return <p className="quiet">{t('settings.storage', { used, quota })}</p>
}
