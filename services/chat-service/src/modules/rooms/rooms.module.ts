import { Problem, type Service, type ServiceOutbox, startAtZero } from '@bigtech/service-kit'
import { Counter } from 'prom-client'
import type { Mysql } from '../../infrastructure/mysql.ts'
import {
  type ContactReactions,
  contactHandlers,
  deletionHandlers,
  liveContactHandlers,
} from '../contacts/contacts.consumers.ts'
import type { ContactsModule } from '../contacts/contacts.module.ts'
import type { MembershipModule } from '../membership/membership.module.ts'
import type { MessagesPort } from '../messages/messages.ports.ts'
import { ExportService } from './export.service.ts'
import { LinkRepository } from './links.repository.ts'
import { LinkService } from './links.service.ts'
import { memberRoutes } from './members.routes.ts'
import { MemberService } from './members.service.ts'
import { RoomActivityWriter } from './room-activity.ts'
import { RoomListRepository } from './room-list.repository.ts'
import { RoomListService } from './room-list.service.ts'
import { RoomOrders } from './room-orders.ts'
import type { RoomPictures } from './room-picture.ts'
import { RoomToolsRepository } from './room-tools.repository.ts'
import { roomToolRoutes } from './room-tools.routes.ts'
import { RoomToolsService } from './room-tools.service.ts'
import { auditHandlers, systemMessageHandlers } from './rooms.consumers.ts'
import { RoomRepository } from './rooms.repository.ts'
import { type Limiter, roomRoutes } from './rooms.routes.ts'
import { RoomService } from './rooms.service.ts'

const PURGE_AUDIT_MS = 10 * 60_000

/** Wires the routes and event handlers of rooms. */
export function createRooms(options: {
  service: Service
  mysql: Mysql
  limiter: Limiter
  contacts: ContactsModule
  outbox: ServiceOutbox
  membership: MembershipModule
  messages: MessagesPort
  pictures: RoomPictures
}): void {
  const { service, mysql, limiter, outbox, messages } = options
  const { membership, repository: memberships } = options.membership
  const { contacts, muted, repository: contactStore } = options.contacts
  const repository = new RoomRepository(mysql, outbox, () => outbox.wake(), membership)
  const listStore = new RoomListRepository(mysql)
  const activity = new RoomActivityWriter(listStore, service.log)
  messages.updates.onUpdate((update) => activity.follow(update))
  service.lifecycle.onStop('producers', 'room activity', () => activity.stop())
  const { heads } = messages
  const created = new Counter({
    name: 'rooms_created_total',
    help: 'Rooms opened.',
    labelNames: ['room_type'],
    registers: [service.metrics],
  })
  startAtZero(created, { room_type: ['group', 'direct'] })
  const rooms = new RoomService({
    rooms: repository,
    contacts,
    membership,
    pictures: options.pictures,
    countCreated: (room_type) => created.inc({ room_type }),
  })
  const members = new MemberService({
    rooms: repository,
    memberships,
    membership,
    contacts,
    names: contacts,
    heads,
  })
  const links = new LinkService({
    rooms: repository,
    links: new LinkRepository(mysql),
    membership,
    heads,
  })
  const orders = new RoomOrders({ store: listStore, heads, activity })
  membership.onChange(({ added, removed }) => orders.drop([...added, ...removed]))
  const list = new RoomListService({
    store: listStore,
    heads,
    orders,
    activity,
    names: contacts,
    refuse: (roomId, userId) => membership.require(roomId, userId),
  })
  const exports = new ExportService({
    memberships,
    list: listStore,
    receivers: contacts,
    messages: messages.export,
  })
  service.app.register(roomRoutes, { rooms, list, receivers: contacts, exports, limiter })
  service.app.register(memberRoutes, { members, links, list, limiter })
  const toolStore = new RoomToolsRepository(mysql)
  const tools = new RoomToolsService({ rooms: repository, store: toolStore, membership, names: contacts })
  service.app.register(roomToolRoutes, { tools, limiter })
  service.every({
    name: 'room audit purge',
    everyMs: PURGE_AUDIT_MS,
    run: () => toolStore.purgeAudit(new Date()),
  })
  const reactions: ContactReactions = {
    openDirectRoom: (...pair) => rooms.ensureDirectRoom(...pair).catch(ignoreRoomLimit),
    leaveAllRooms: (...user) => members.leaveAllRooms(...user),
    eraseMessages: (...user) => messages.erasure.erase(...user),
  }
  service.subscribe('contacts', contactHandlers(contactStore, reactions))
  service.subscribe('deletions', deletionHandlers(contactStore, reactions))
  service.subscribe('system-messages', systemMessageHandlers(messages.systemMessages))
  service.subscribe('room-audit', auditHandlers(toolStore), { gatherMs: 400 })
  service.subscribeEveryProcess(liveContactHandlers(contacts, muted))
}

/**
 * Ignores the room limit: a user in 2,000 rooms gets the direct room of a new friend only on request, after
 * leaving some.
 */
function ignoreRoomLimit(err: unknown): void {
  if (!(err instanceof Problem) || err.code !== 'ROOM_LIMIT') throw err
}
