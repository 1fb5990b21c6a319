-- migrate:up
CREATE TABLE contacts (
  user_id BIGINT NOT NULL PRIMARY KEY,
  email VARCHAR(320) NULL,
  username VARCHAR(100) NOT NULL,
  display_name VARCHAR(200) NOT NULL,
  locale VARCHAR(35) NULL,
  source_at DATETIME(3) NOT NULL,
  deleted_at DATETIME(3) NULL
) CHARACTER SET utf8mb4;

CREATE TABLE rooms (
  room_id BIGINT NOT NULL PRIMARY KEY,
  room_type VARCHAR(10) CHARACTER SET ascii NOT NULL,
  name VARCHAR(200) NULL,
  deleted_at DATETIME(3) NULL
) CHARACTER SET utf8mb4;

CREATE TABLE room_members (
  room_id BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  muted TINYINT(1) NOT NULL DEFAULT 0,
  muted_until DATETIME(3) NULL,
  PRIMARY KEY (room_id, user_id),
  KEY room_members_user (user_id)
) CHARACTER SET utf8mb4;

CREATE TABLE open_streams (
  user_id BIGINT NOT NULL,
  instance_id VARCHAR(100) NOT NULL,
  seen_at DATETIME(3) NOT NULL,
  closed_at DATETIME(3) NOT NULL,
  PRIMARY KEY (user_id, instance_id),
  KEY open_streams_seen (seen_at)
) CHARACTER SET utf8mb4;

CREATE TABLE preferences (
  user_id BIGINT NOT NULL PRIMARY KEY,
  message_push TINYINT(1) NOT NULL,
  friend_request_push TINYINT(1) NOT NULL,
  mentions_when_muted TINYINT(1) NOT NULL,
  show_preview TINYINT(1) NOT NULL,
  quiet_start CHAR(5) CHARACTER SET ascii NULL,
  quiet_end CHAR(5) CHARACTER SET ascii NULL,
  time_zone VARCHAR(64) CHARACTER SET ascii NULL
) CHARACTER SET utf8mb4;

CREATE TABLE push_subscriptions (
  id CHAR(36) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  user_id BIGINT NOT NULL,
  session_id CHAR(36) CHARACTER SET ascii NOT NULL,
  endpoint_hash CHAR(64) CHARACTER SET ascii NOT NULL,
  endpoint VARCHAR(2048) NOT NULL,
  p256dh VARCHAR(200) CHARACTER SET ascii NOT NULL,
  auth VARCHAR(100) CHARACTER SET ascii NOT NULL,
  device_name VARCHAR(100) NULL,
  created_at DATETIME(3) NOT NULL,
  UNIQUE KEY push_subscriptions_endpoint (endpoint_hash),
  KEY push_subscriptions_user (user_id, id),
  KEY push_subscriptions_session (session_id)
) CHARACTER SET utf8mb4;

CREATE TABLE deliveries (
  id CHAR(36) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  user_id BIGINT NOT NULL,
  kind VARCHAR(20) CHARACTER SET ascii NOT NULL,
  channel VARCHAR(4) CHARACTER SET ascii NOT NULL,
  state VARCHAR(16) CHARACTER SET ascii NOT NULL,
  digest_key VARCHAR(80) CHARACTER SET ascii NULL,
  event_id CHAR(36) CHARACTER SET ascii NOT NULL,
  event_count INT NOT NULL DEFAULT 1,
  actor_id BIGINT NULL,
  room_id BIGINT NULL,
  message_id VARCHAR(40) NULL,
  mentioned TINYINT(1) NOT NULL DEFAULT 0,
  content TEXT NULL,
  attempts INT NOT NULL DEFAULT 0,
  due_at DATETIME(3) NOT NULL,
  lease_id CHAR(36) CHARACTER SET ascii NULL,
  last_error VARCHAR(300) NULL,
  created_at DATETIME(3) NOT NULL,
  finished_at DATETIME(3) NULL,
  UNIQUE KEY deliveries_digest (digest_key),
  KEY deliveries_due (state, due_at),
  KEY deliveries_lease (lease_id),
  KEY deliveries_user (user_id, id),
  KEY deliveries_actor (actor_id, kind, user_id),
  KEY deliveries_message (message_id)
) CHARACTER SET utf8mb4;

CREATE TABLE waiting_messages (
  event_id CHAR(36) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  room_id BIGINT NOT NULL,
  event MEDIUMTEXT NOT NULL,
  attempts INT NOT NULL DEFAULT 0,
  due_at DATETIME(3) NOT NULL,
  created_at DATETIME(3) NOT NULL,
  KEY waiting_messages_due (due_at),
  KEY waiting_messages_room (room_id)
) CHARACTER SET utf8mb4;

CREATE TABLE inbox (
  consumer VARCHAR(64) CHARACTER SET ascii NOT NULL,
  event_id CHAR(36) CHARACTER SET ascii NOT NULL,
  processed_at DATETIME(3) NOT NULL,
  PRIMARY KEY (consumer, event_id),
  KEY inbox_processed_at (processed_at)
) CHARACTER SET utf8mb4;

-- migrate:down
DROP TABLE inbox;
DROP TABLE waiting_messages;
DROP TABLE deliveries;
DROP TABLE push_subscriptions;
DROP TABLE preferences;
DROP TABLE open_streams;
DROP TABLE room_members;
DROP TABLE rooms;
DROP TABLE contacts;
