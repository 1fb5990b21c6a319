import { afterEach, expect, it } from 'vitest'
import { type FakeTransport, fakeTransport, messageFrame, readyFrame, resetFrame } from '../testing/fakes.ts'
import type { StreamFrame } from './frames.ts'
import { type Channel, sharedTransport } from './shared-transport.ts'

const opened: AbortController[] = []
const closers: (() => void)[] = []
afterEach(() => {
  for (const controller of opened.splice(0)) controller.abort()
  for (const close of closers.splice(0)) close()
})

/** A connected or connecting browser tab. */
interface TestTab {
  readonly frames: StreamFrame[]
  readonly ids: string[]
  /** Settles when its connection ends. */
  readonly ended: Promise<unknown>
  /** Closes the tab. */
  close(): void
  reconnect(): TestTab
}

function openTab(
  name: string,
  server: FakeTransport,
  options: { frozen?: () => boolean; lastEventId?: string } = {},
): TestTab {
  const openChannel = (channelName: string): Channel => {
    const channel = new BroadcastChannel(channelName)
    return {
      postMessage: (message) => void (options.frozen?.() || channel.postMessage(message)),
      addEventListener: (type, listener) =>
        channel.addEventListener(type, (event) => {
          if (!options.frozen?.()) listener(event as MessageEvent)
        }),
      close: () => channel.close(),
    }
  }
  const transport = sharedTransport({ name, inner: server.transport, openChannel, answerTimeoutMs: 300 })
  closers.push(() => transport.close?.())
  const connect = (lastEventId: string | undefined): TestTab => {
    const frames: StreamFrame[] = []
    const ids: string[] = []
    const controller = new AbortController()
    opened.push(controller)
    const ended = transport({
      lastEventId,
      signal: controller.signal,
      events: {
        onFrame: (event, data) => void frames.push({ event, data: JSON.parse(data) } as StreamFrame),
        onId: (id) => void ids.push(id),
      },
    }).catch((err: unknown) => err)
    return {
      frames,
      ids,
      ended,
      close: () => {
        controller.abort()
        transport.close?.()
      },
      reconnect: () => connect(ids.at(-1) ?? lastEventId),
    }
  }
  return connect(options.lastEventId)
}

const until = (condition: () => boolean) => expect.poll(condition, { timeout: 4_000 }).toBe(true)
const seqs = (tab: TestTab) =>
  tab.frames.flatMap((frame) => (frame.event === 'message' ? [frame.data.seq] : []))

/** Creates six tabs of one browser; the first one has the connection. */
async function sixTabs() {
  const name = crypto.randomUUID()
  const server = fakeTransport()
  const tabs = [openTab(name, server)]
  await until(() => server.connections.length === 1)
  server.connections[0]!.frame(resetFrame(5), 'at-5')
  for (let n = 1; n < 6; n++) tabs.push(openTab(name, server))
  await until(() => tabs.every(({ frames }) => frames.length === 1))
  return {
    name,
    server,
    tabs,
    send: (index: number, seq: number) => server.connections[index]!.frame(messageFrame(seq), `at-${seq}`),
  }
}

it('the shared connection opens one connection for six tabs, each of which gets every frame in order after a first one', async () => {
  const { server, tabs, send } = await sixTabs()
  for (let seq = 6; seq <= 50; seq++) send(0, seq)
  await until(() => tabs.every((tab) => seqs(tab).length === 45))
  for (const tab of tabs) {
    expect(tab.frames[0]).toMatchObject({
      event: 'reset',
      data: { reason: 'new', rooms: [{ room_id: 7, seq: 5 }] },
    })
    expect(seqs(tab)).toEqual(Array.from({ length: 45 }, (_unused, index) => index + 6))
    expect(tab.ids.at(-1)).toBe('at-50')
  }
  expect(server.connections).toHaveLength(1)
})

it('the shared connection sends a later tab its start position, and nothing from before', async () => {
  const { name, server, tabs, send } = await sixTabs()
  for (const seq of [6, 7]) send(0, seq)
  await until(() => seqs(tabs[5]!).length === 2)
  const late = openTab(name, server)
  await until(() => late.frames.length > 0)
  send(0, 8)
  await until(() => seqs(late).length === 1)
  expect(late.frames[0]).toMatchObject({ event: 'reset', data: { rooms: [{ room_id: 7, seq: 7 }] } })
  expect(seqs(late)).toEqual([8])
})

it('the shared connection continues in another tab without gaps or duplicates when the connected tab is closed', async () => {
  const { server, tabs, send } = await sixTabs()
  send(0, 6)
  await until(() => tabs.every((tab) => seqs(tab).length === 1))
  tabs[0]!.close()
  const broken = await Promise.all(
    tabs.slice(1).map((tab) => Promise.race([tab.ended, until(() => server.connections.length === 2)])),
  )
  expect(broken).toHaveLength(5)
  expect(server.connections[1]!.lastEventId).toBe('at-6')
  server.connections[1]!.frame(readyFrame(6), 'at-6')
  send(1, 7)
  const again = tabs.slice(1).map((tab) => (seqs(tab).includes(7) ? tab : tab.reconnect()))
  await until(() => again.every((tab) => seqs(tab).includes(7)))
  send(1, 8)
  await until(() => again.every((tab) => seqs(tab).includes(8)))
  for (const tab of again) expect(seqs(tab).filter((seq) => seq > 6)).toEqual([7, 8])
  expect(server.connections).toHaveLength(2)
})

it('the shared connection stays with the connected tab when its connection breaks, and lets the others wait', async () => {
  const { server, tabs, send } = await sixTabs()
  send(0, 6)
  await until(() => tabs.every((tab) => seqs(tab).length === 1))
  server.connections[0]!.fail(new Error('network'))
  await Promise.all(tabs.map(({ ended }) => ended))
  const others = tabs.slice(1).map((tab) => tab.reconnect())
  // Longer than the response timeout: the leader responds although it is not connected.
  await new Promise((resolve) => setTimeout(resolve, 700))
  expect(server.connections).toHaveLength(1)
  const all = [tabs[0]!.reconnect(), ...others]
  await until(() => server.connections.length === 2)
  server.connections[1]!.frame(readyFrame(6), 'at-6')
  send(1, 7)
  await until(() => all.every((tab) => seqs(tab).length === 1))
  for (const tab of all) expect(tab.frames.map(({ event }) => event)).toEqual(['ready', 'message'])
  expect(server.connections).toHaveLength(2)
})

it('the shared connection takes over from a frozen tab', async () => {
  const name = crypto.randomUUID()
  const server = fakeTransport()
  let frozen = false
  const leader = openTab(name, server, { frozen: () => frozen })
  await until(() => server.connections.length === 1)
  server.connections[0]!.frame(resetFrame(5), 'at-5')
  await until(() => leader.frames.length === 1)
  frozen = true
  const tab = openTab(name, server)
  await until(() => server.connections.length === 2)
  server.connections[1]!.frame(resetFrame(9), 'at-9')
  await until(() => tab.frames.length === 1)
  expect(server.connections[0]!.signal.aborted).toBe(true)
})

it('the shared connection connects each tab separately where tabs cannot communicate', async () => {
  const server = fakeTransport()
  const inner = server.transport
  expect(sharedTransport({ name: 'x', inner, locks: undefined, openChannel: undefined })).toBeTypeOf(
    'function',
  )
  const without = sharedTransport({ name: 'x', inner, locks: null })
  expect(without).toBe(inner)
})
