/** The expected routing of a path, for any gateway. */
export interface RouteExpectation {
  readonly method: string
  readonly path: string
  /** Host name in kong.yml; null: the gateway responds itself. */
  readonly service: string | null
  /** The path at the upstream, including the query string. */
  readonly upstreamPath?: string
  /** The status of the gateway's own response. */
  readonly status?: number
}

const to =
  (service: string) =>
  (method: string, path: string, upstreamPath: string): RouteExpectation => ({
    method,
    path,
    service,
    upstreamPath,
  })
const user = to('user-service')
const friend = to('friend-service')
const chat = to('chat-service')
const media = to('media-service')
const notification = to('notification-service')
const refused = (method: string, path: string, status = 404): RouteExpectation => ({
  method,
  path,
  service: null,
  status,
})

/** `/api` is removed, the rest reaches the service unchanged. */
export const forwarded: readonly RouteExpectation[] = [
  user('POST', '/api/auth/register', '/auth/register'),
  user('POST', '/api/auth/login/json', '/auth/login/json'),
  user('DELETE', '/api/auth/sessions/12', '/auth/sessions/12'),
  user('PUT', '/api/auth/password', '/auth/password'),
  user('GET', '/api/users?user_ids=1,2,3', '/users?user_ids=1,2,3'),
  user('GET', '/api/users/5', '/users/5'),
  user('GET', '/api/users/search?q=%ED%85%8C%EC%8A%A4&limit=5', '/users/search?q=%ED%85%8C%EC%8A%A4&limit=5'),
  user('GET', '/api/users/search?q=100%&x=/../y', '/users/search?q=100%&x=/../y'),
  user('POST', '/api/users/me/presence', '/users/me/presence'),
  user('GET', '/api/profile/me', '/profile/me'),
  user('PUT', '/api/profile/me', '/profile/me'),
  user('PATCH', '/api/profile/me', '/profile/me'),
  user('POST', '/api/moderation/reports', '/moderation/reports'),
  user('GET', '/api/moderation/reports?state=open', '/moderation/reports?state=open'),
  friend('GET', '/api/friends', '/friends'),
  friend('GET', '/api/friends/', '/friends/'),
  friend('POST', '/api/friends/request', '/friends/request'),
  friend('POST', '/api/friends/requests/7/accept', '/friends/requests/7/accept'),
  friend('DELETE', '/api/friends/5/block', '/friends/5/block'),
  chat('GET', '/api/rooms', '/rooms'),
  chat('PUT', '/api/rooms/direct/5', '/rooms/direct/5'),
  chat('POST', '/api/messages/7', '/messages/7'),
  chat('GET', '/api/messages/7?before_seq=100&limit=50', '/messages/7?before_seq=100&limit=50'),
  chat(
    'PUT',
    '/api/messages/7/7:000000000012/reactions/%F0%9F%91%8D',
    '/messages/7/7:000000000012/reactions/%F0%9F%91%8D',
  ),
  chat(
    'PUT',
    '/api/messages/7/m/reactions/%23%EF%B8%8F%E2%83%A3',
    '/messages/7/m/reactions/%23%EF%B8%8F%E2%83%A3',
  ),
  chat('POST', '/api/stream/tickets', '/stream/tickets'),
  media('POST', '/api/files', '/files'),
  media('GET', '/api/files?limit=5', '/files?limit=5'),
  media('POST', '/api/files/uploads', '/files/uploads'),
  media('GET', '/api/files/7/content?message_id=7:1', '/files/7/content?message_id=7:1'),
  media('GET', '/api/pictures/7', '/pictures/7'),
  media('GET', '/api/documents?page=2', '/documents?page=2'),
  media('POST', '/api/documents/upload', '/documents/upload'),
  media('GET', '/api/documents/7/reports/pdf', '/documents/7/reports/pdf'),
  media('POST', '/api/ws/tickets', '/ws/tickets'),
  media('GET', '/api/ws?ticket=x', '/ws?ticket=x'),
  media('POST', '/api/tokens/3/upload-audio', '/tokens/3/upload-audio'),
  media('GET', '/api/mypage/bookmarks/', '/mypage/bookmarks/'),
  media('GET', '/api/scripts/popular', '/scripts/popular'),
  notification('POST', '/api/notifications/subscriptions', '/notifications/subscriptions'),
  // Normalized first, so these are other spellings of public paths.
  user('GET', '/api//users//5', '/users/5'),
  user('GET', '/api/users/./5', '/users/5'),
  user('GET', '/api/%75sers/5', '/users/5'),
  friend('GET', '/api/users/../friends', '/friends'),
  friend('GET', '/api/users/%2e%2e/friends', '/friends'),
  // Decoded only once: for the service this is a name with percent signs.
  user('GET', '/api/users/%252e%252e/metrics', '/users/%252e%252e/metrics'),
]

/** Only the listed paths of a service are reachable. */
export const unreachable: readonly RouteExpectation[] = [
  refused('GET', '/api'),
  refused('GET', '/api/'),
  refused('GET', '/api/unknown'),
  refused('POST', '/api/unknown'),
  refused('GET', '/api/usersx'),
  refused('GET', '/api/streams'),
  refused('GET', '/api/metrics'),
  refused('GET', '/api/internal/users/5'),
  // Called by user-service and chat-service on behalf of a user.
  refused('POST', '/api/files/7/claim'),
  refused('POST', '/api/files/7/claim-picture'),
  refused('POST', '/api/files/7/%63laim'),
  refused('GET', '/api/filesx'),
  refused('GET', '/api/pictures'),
  refused('GET', '/api/documentsx'),
  refused('GET', '/api/wsx'),
  refused('GET', '/api/monitor'),
  refused('GET', '/api/monitor/overview'),
  refused('GET', '/api/live'),
  refused('GET', '/api/ready'),
  refused('GET', '/api/docs/x'),
  refused('GET', '/api/.well-known/jwks.json'),
  refused('GET', '/api/users/../metrics'),
  refused('GET', '/api/users/%2e%2e/metrics'),
  refused('GET', '/api/users/%2E./metrics'),
  refused('GET', '/api/users/..%2fmetrics'),
  refused('GET', '/api/users/%2e%2e%2fmetrics'),
  refused('GET', '/api/users/..%5cmetrics'),
  refused('GET', '/api/users/..\\metrics'),
  refused('GET', '/api/users/5%0a/..%2fmetrics'),
  refused('GET', '/api/users//../metrics'),
  refused('GET', '/api/users/../../api/metrics'),
  refused('GET', '//api/metrics'),
  refused('GET', '/api/stream/../metrics'),
]

/** Operators' paths at the root and similar ones: handled by the page's server. */
export const notServices = [
  '/metrics',
  '/internal/users',
  '/live',
  '/ready',
  '/docs',
  '/openapi.json',
  '/auth/login',
  '/users/5',
  '/API/USERS/5',
]
