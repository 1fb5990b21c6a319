import { startHttpServer } from '@bigtech/testkit'

export interface FakeUserService {
  readonly url: string
  /** The requested paths. */
  readonly calls: string[]
  /** Ids that are unknown, or hidden from the caller. */
  readonly hidden: Set<number>
  /** Presence of single users; null: hidden from the caller. All others are online if their id is even. */
  readonly online: Map<number, boolean | null>
  down: boolean
  close(): Promise<void>
}

/** Starts a fake user-service that returns profiles and presence. */
export async function startFakeUserService(): Promise<FakeUserService> {
  const calls: string[] = []
  const hidden = new Set<number>()
  const online = new Map<number, boolean | null>()
  const server = await startHttpServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://fake')
    calls.push(url.pathname)
    if (fake.down || !request.headers.authorization) return response.writeHead(503).end()
    const ids = (url.searchParams.get('user_ids') ?? '').split(',').map(Number)
    const items = ids
      .filter((id) => !hidden.has(id))
      .map((id) => (url.pathname === '/users' ? profileOf(id) : presenceOf(id, online)))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ items, next_cursor: null }))
  })
  const fake: FakeUserService = {
    url: server.url,
    calls,
    hidden,
    online,
    down: false,
    close: () => server.close(),
  }
  return fake
}

function profileOf(id: number) {
  return {
    user_id: id,
    username: `user${id}`,
    display_name: `User ${id}`,
    status_message: 'hello',
    profile_image_url: null,
  }
}

function presenceOf(id: number, known: ReadonlyMap<number, boolean | null>) {
  const online = known.get(id)
  const shown = online === undefined ? id % 2 === 0 : online
  return { user_id: id, online: shown, last_seen_at: shown === null ? null : '2026-01-27T10:00:00.000Z' }
}
