import { type Model, Schema } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import {
  type ChangeDocument,
  collections,
  type HiddenDocument,
  type MessageDocument,
  type ReadPositionDocument,
} from './documents.ts'

/**
 * `__v` would add a field to every document. Buffered commands would wait for a heartbeat after an outage and
 * be answered after their deadline.
 */
const options = { versionKey: false, minimize: false, bufferCommands: false } as const
const optionalIds = { type: [Number], default: undefined }
const anything = Schema.Types.Mixed

const logFields = {
  _id: String,
  room_id: Number,
  created_at: Date,
  event_id: String,
  correlation_id: String,
  trace: String,
  pending: Boolean,
  outbox: { type: [anything], default: undefined },
  user_id: Number,
  cseq: Number,
  content: String,
  mentions: optionalIds,
}

const messageSchema = new Schema(
  {
    ...logFields,
    username: String,
    message_type: String,
    client_message_id: String,
    body_hash: String,
    reply_to: String,
    is_forwarded: Boolean,
    system: anything,
    rev: Number,
    attachment: anything,
    file: anything,
    file_id: String,
    edited_at: Date,
    is_deleted: Boolean,
    reactions: [new Schema({ emoji: String, user_ids: [Number] }, { _id: false })],
    pinned_at: Date,
    versions: { type: [anything], default: undefined },
    parked_reason: String,
  },
  options,
)

const changeSchema = new Schema(
  { ...logFields, message_id: String, kind: String, rev: Number, emoji: String, parked_reason: String },
  options,
)

const positionSchema = new Schema(
  { _id: String, room_id: Number, user_id: Number, seq: Number, private_seq: Number, at: Date },
  options,
)
const hiddenSchema = new Schema({ _id: String, user_id: Number, message_id: String, at: Date }, options)

/** The models of this module. Each throws StoreUnavailable until MongoDB has been connected once. */
export const models = {
  messages: (store: MongoStore): Model<MessageDocument> => store.model(collections.messages, messageSchema),
  changes: (store: MongoStore): Model<ChangeDocument> => store.model(collections.changes, changeSchema),
  positions: (store: MongoStore): Model<ReadPositionDocument> =>
    store.model(collections.positions, positionSchema),
  hidden: (store: MongoStore): Model<HiddenDocument> => store.model(collections.hidden, hiddenSchema),
}
