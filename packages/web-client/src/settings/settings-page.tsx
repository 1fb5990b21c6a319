import { type ComponentType, lazy, Suspense } from 'react'
import { type TextKey, useT } from '../i18n/index.ts'
import { lazyWithTexts } from '../i18n/lazy-with-texts.tsx'
import { Page } from '../ui/page.tsx'
import { Spinner } from '../ui/spinner.tsx'
import { AccountSection } from './account-section.tsx'
import { AppearanceSection } from './appearance-section.tsx'
import { BlockedSection, RestrictedSection } from './blocked-section.tsx'
import { DataSection } from './data-section.tsx'
import { EmailSection } from './email-section.tsx'
import { NotificationSection } from './notification-section.tsx'
import { PrivacySection } from './privacy-section.tsx'
import { ProfileSection } from './profile-section.tsx'
import { SessionSection } from './session-section.tsx'
import { StorageLine } from './storage-line.tsx'
import '../styles/settings.css'
import '../styles/people.css'
import '../styles/moderation.css'

const ModerationSection = lazy(() => import('../moderation/moderation-section.tsx'))
const ActivitySection = lazyWithTexts('security', () => import('./activity-section.tsx'))
const SecuritySection = lazyWithTexts('security', () => import('./security/security-section.tsx'))

const contents: Record<string, ComponentType> = {
  profile: () => (
    <>
      <ProfileSection />
      <StorageLine />
      <EmailSection />
      <AccountSection />
    </>
  ),
  appearance: AppearanceSection,
  notifications: NotificationSection,
  privacy: PrivacySection,
  blocked: BlockedSection,
  restricted: RestrictedSection,
  sessions: SessionSection,
  activity: ActivitySection,
  security: SecuritySection,
  data: DataSection,
  moderation: ModerationSection,
}

export default function SettingsPage({ section }: { section: string }) {
  const t = useT()
  const Content = contents[section]
  if (!Content) return null
  return (
    <Page title={t(`settings.${section}` as TextKey)} back="/settings">
      <Suspense fallback={<Spinner />}>
        <Content />
      </Suspense>
    </Page>
  )
}
