import { getStorageUsage } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { call } from '../core/api.ts'
import { sizeOf } from '../core/sizes.ts'
import { useLanguage, useT } from '../i18n/index.ts'

/** The used storage quota. Absent while unavailable. */
export function StorageLine() {
  const t = useT()
  const language = useLanguage()
  const { data } = useQuery({ queryKey: ['storage'], queryFn: () => call(getStorageUsage, {}) })
  if (!data) return null
  const used = sizeOf(data.used_bytes, language)
  const quota = sizeOf(data.quota_bytes, language)
  return <p className="quiet">{t('settings.storage', { used, quota })}</p>
}
