-- migrate:up
CREATE TABLE friendships (
  user_low BIGINT NOT NULL,
  user_high BIGINT NOT NULL,
  version INT NOT NULL DEFAULT 0,
  status VARCHAR(8) CHARACTER SET ascii NOT NULL DEFAULT 'none',
  request_id BIGINT NULL,
  request_from BIGINT NULL,
  request_to BIGINT NULL,
  request_state VARCHAR(10) CHARACTER SET ascii NULL,
  request_sent_at DATETIME(3) NULL,
  request_expires_at DATETIME(3) NULL,
  friends_since DATETIME(3) NULL,
  blocked_by_low_at DATETIME(3) NULL,
  blocked_by_high_at DATETIME(3) NULL,
  quiet_low_until DATETIME(3) NULL,
  quiet_high_until DATETIME(3) NULL,
  PRIMARY KEY (user_low, user_high),
  UNIQUE KEY friendships_request (request_id),
  KEY friendships_incoming (request_to, request_state, request_id),
  KEY friendships_outgoing (request_from, status, request_id),
  KEY friendships_of_low (user_low, status, friends_since, user_high),
  KEY friendships_of_high (user_high, status, friends_since, user_low),
  KEY friendships_blocked_by_low (user_low, blocked_by_low_at, user_high),
  KEY friendships_blocked_by_high (user_high, blocked_by_high_at, user_low),
  KEY friendships_expiry (status, request_expires_at),
  CONSTRAINT friendships_sorted CHECK (user_low < user_high)
) CHARACTER SET utf8mb4;

CREATE TABLE request_ids (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY
) CHARACTER SET utf8mb4;

CREATE TABLE request_senders (
  user_id BIGINT NOT NULL PRIMARY KEY
) CHARACTER SET utf8mb4;

CREATE TABLE people (
  user_id BIGINT NOT NULL PRIMARY KEY,
  username VARCHAR(100) NOT NULL,
  display_name VARCHAR(200) NOT NULL,
  status_message VARCHAR(1000) NULL,
  profile_image_url VARCHAR(2048) NULL,
  source_at DATETIME(3) NOT NULL,
  deleted_at DATETIME(3) NULL
) CHARACTER SET utf8mb4;

CREATE TABLE outbox (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  event_id CHAR(36) CHARACTER SET ascii NOT NULL,
  topic VARCHAR(100) CHARACTER SET ascii NOT NULL,
  msg_key VARCHAR(200) NOT NULL,
  event_type VARCHAR(64) CHARACTER SET ascii NOT NULL,
  payload MEDIUMTEXT NOT NULL,
  headers TEXT NOT NULL,
  created_at DATETIME(3) NOT NULL,
  sent TINYINT NOT NULL DEFAULT 0 COMMENT '0 waiting, 1 published, 2 parked',
  parked_reason VARCHAR(300) NULL,
  UNIQUE KEY outbox_event_id (event_id),
  KEY outbox_sent_id (sent, id)
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
DROP TABLE outbox;
DROP TABLE people;
DROP TABLE request_senders;
DROP TABLE request_ids;
DROP TABLE friendships;
