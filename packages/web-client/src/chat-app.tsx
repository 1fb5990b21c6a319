import { QueryClientProvider } from '@tanstack/react-query'
import { Suspense, useEffect, useState } from 'react'
import { Redirect, Route, Switch, useLocation } from 'wouter'
import { Chat, ChatContext } from './core/chat.ts'
import { useT } from './i18n/index.ts'
import { lazyWithTexts } from './i18n/lazy-with-texts.tsx'
import { ModerationNotice } from './moderation/moderation-notice.tsx'
import { RoomPage } from './room/room-page.tsx'
import { HiddenNotices } from './rooms/hidden-notices.tsx'
import { RoomList } from './rooms/room-list.tsx'
import { TitleCount } from './rooms/title-count.tsx'
import { ConnectionBanner } from './ui/connection-banner.tsx'
import { Empty } from './ui/empty.tsx'
import { Notices } from './ui/notices.tsx'
import { Rail } from './ui/rail.tsx'
import { Spinner } from './ui/spinner.tsx'
import './styles/chat.css'

const FriendList = lazyWithTexts('pages', () => import('./friends/friend-list.tsx'))
const PersonPage = lazyWithTexts('pages', () => import('./friends/person-page.tsx'))
const FindPeoplePage = lazyWithTexts('pages', () => import('./friends/find-people-page.tsx'))
const SettingsList = lazyWithTexts('pages', () => import('./settings/settings-list.tsx'))
const SettingsPage = lazyWithTexts('pages', () => import('./settings/settings-page.tsx'))
const NewGroupPage = lazyWithTexts('pages', () => import('./group/new-group-page.tsx'))
const InvitePage = lazyWithTexts('pages', () => import('./friends/invite-page.tsx'))
const JoinPage = lazyWithTexts('pages', () => import('./group/join-page.tsx'))
const SearchPage = lazyWithTexts('pages', () => import('./search/search-page.tsx'))
const PracticeList = lazyWithTexts('practice', () => import('./practice/practice-list.tsx'))
const ScriptPage = lazyWithTexts('practice', () => import('./practice/script-page.tsx'))
const MyPracticePage = lazyWithTexts('practice', () => import('./practice/my-practice-page.tsx'))
const Lab = lazyWithTexts('pages', () => import('./lab/lab.tsx'))

/** The signed-in app: navigation rail, list, and detail page. */
export default function ChatApp({ userId }: { userId: number }) {
  const [chat, setChat] = useState<Chat>()
  useEffect(() => {
    const opened = new Chat(userId)
    setChat(opened)
    return () => opened.close()
  }, [userId])
  if (!chat) return null
  return (
    <ChatContext value={chat}>
      <QueryClientProvider client={chat.queries}>
        <Shell />
      </QueryClientProvider>
    </ChatContext>
  )
}

function Shell() {
  const t = useT()
  const [path, navigate] = useLocation()
  useEffect(() => {
    const open = ({ data }: MessageEvent<{ open?: string }>) => data.open && navigate(data.open)
    navigator.serviceWorker?.addEventListener('message', open)
    return () => navigator.serviceWorker?.removeEventListener('message', open)
  }, [navigate])
  const [isLabOpen, setLabOpen] = useState(false)
  // A phone shows the list or what is open, never both.
  const isDetail = !['/', '/rooms', '/archived', '/friends', '/practice', '/settings'].includes(path)
  return (
    <div className="shell" data-detail={isDetail || undefined}>
      <a className="skip-link" href="#main">
        {t('skipToContent')}
      </a>
      <Rail onLab={() => setLabOpen((isOpen) => !isOpen)} />
      <ListColumn path={path} />
      <main id="main" className="main" tabIndex={-1}>
        <ConnectionBanner />
        <Suspense fallback={<Spinner />}>
          <Detail />
        </Suspense>
      </main>
      {isLabOpen && (
        <Suspense>
          <Lab onClose={() => setLabOpen(false)} />
        </Suspense>
      )}
      <ModerationNotice />
      <TitleCount />
      <HiddenNotices />
      <Notices />
    </div>
  )
}

function ListColumn({ path }: { path: string }) {
  const list = path.startsWith('/friends') ? (
    <FriendList />
  ) : path.startsWith('/practice') ? (
    <PracticeList />
  ) : path.startsWith('/settings') ? (
    <SettingsList />
  ) : (
    <RoomList isArchive={path.startsWith('/archived')} />
  )
  return (
    <aside className="list-column">
      <Suspense fallback={<Spinner />}>{list}</Suspense>
    </aside>
  )
}

function Detail() {
  const t = useT()
  return (
    <Switch>
      <Route path="/rooms/:roomId/:panel?">
        {({ roomId, panel }) => <RoomPage key={roomId} roomId={Number(roomId)} panel={panel} />}
      </Route>
      <Route path="/archived/:roomId/:panel?">
        {({ roomId, panel }) => <RoomPage key={roomId} roomId={Number(roomId)} panel={panel} />}
      </Route>
      <Route path="/friends/find" component={FindPeoplePage} />
      <Route path="/friends/:userId">{({ userId }) => <PersonPage userId={Number(userId)} />}</Route>
      <Route path="/practice/mine" component={MyPracticePage} />
      <Route path="/practice/:scriptId">
        {({ scriptId }) => <ScriptPage key={scriptId} scriptId={Number(scriptId)} />}
      </Route>
      <Route path="/settings/:section">{({ section }) => <SettingsPage section={section} />}</Route>
      <Route path="/new-group" component={NewGroupPage} />
      <Route path="/search" component={SearchPage} />
      <Route path="/join" component={JoinPage} />
      <Route path="/add" component={InvitePage} />
      <Route path="/rooms">
        <Empty title={t('rooms.choose')} />
      </Route>
      <Route path="/archived">
        <Empty title={t('rooms.choose')} />
      </Route>
      <Route path="/friends">
        <Empty title={t('friends.choose')} />
      </Route>
      <Route path="/practice">
        <Empty title={t('practice.choose')} />
      </Route>
      <Route path="/settings">
        <Empty title={t('settings.choose')} />
      </Route>
      <Route>
        <Redirect to="/rooms" replace />
      </Route>
    </Switch>
  )
}
