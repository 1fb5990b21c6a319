-- migrate:up
CREATE TABLE files (
  id CHAR(36) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  owner_id BIGINT NOT NULL,
  purpose VARCHAR(12) CHARACTER SET ascii NOT NULL,
  state VARCHAR(10) CHARACTER SET ascii NOT NULL COMMENT 'uploading, checking, ready, refused',
  kind VARCHAR(10) CHARACTER SET ascii NULL COMMENT 'image, video, audio, document',
  name VARCHAR(255) NOT NULL,
  mime VARCHAR(100) CHARACTER SET ascii NOT NULL,
  size_bytes BIGINT NOT NULL,
  object_key VARCHAR(100) CHARACTER SET ascii NOT NULL,
  upload_id VARCHAR(300) CHARACTER SET ascii NULL COMMENT 'of a direct upload that is not complete',
  width INT NULL,
  height INT NULL,
  duration_ms INT NULL,
  pages INT NULL,
  preview TEXT CHARACTER SET ascii NULL,
  waveform VARCHAR(400) CHARACTER SET ascii NULL COMMENT 'JSON',
  variants VARCHAR(100) CHARACTER SET ascii NOT NULL COMMENT 'separated by commas',
  refusal_code VARCHAR(30) CHARACTER SET ascii NULL,
  refusal_detail VARCHAR(300) NULL,
  created_at DATETIME(3) NOT NULL,
  expires_at DATETIME(3) NULL COMMENT 'when it goes, unless a message uses it',
  KEY files_owner (owner_id, id),
  KEY files_expiry (expires_at)
) CHARACTER SET utf8mb4;

CREATE TABLE file_uses (
  file_id CHAR(36) CHARACTER SET ascii NOT NULL,
  message_id VARCHAR(40) CHARACTER SET ascii NOT NULL,
  room_id BIGINT NOT NULL,
  PRIMARY KEY (file_id, message_id),
  KEY file_uses_message (message_id),
  KEY file_uses_room (room_id),
  CONSTRAINT file_uses_file FOREIGN KEY (file_id) REFERENCES files (id) ON DELETE CASCADE
) CHARACTER SET utf8mb4;

CREATE TABLE storage_owners (
  user_id BIGINT NOT NULL PRIMARY KEY
) CHARACTER SET utf8mb4;

CREATE TABLE doomed_objects (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  object_key VARCHAR(100) CHARACTER SET ascii NOT NULL,
  upload_id VARCHAR(300) CHARACTER SET ascii NULL,
  created_at DATETIME(3) NOT NULL,
  KEY doomed_objects_created (created_at)
) CHARACTER SET utf8mb4;

CREATE TABLE jobs (
  id CHAR(36) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  kind VARCHAR(20) CHARACTER SET ascii NOT NULL,
  subject_id CHAR(36) CHARACTER SET ascii NOT NULL,
  owner_id BIGINT NOT NULL,
  state VARCHAR(10) CHARACTER SET ascii NOT NULL COMMENT 'queued, running, succeeded, failed, cancelled',
  priority TINYINT NOT NULL DEFAULT 5 COMMENT 'lower comes first',
  due_at DATETIME(3) NOT NULL,
  attempts SMALLINT NOT NULL DEFAULT 0,
  losses SMALLINT NOT NULL DEFAULT 0 COMMENT 'workers that died with it',
  lease_id CHAR(36) CHARACTER SET ascii NULL,
  lease_until DATETIME(3) NULL,
  worker VARCHAR(100) CHARACTER SET ascii NULL,
  progress TINYINT NOT NULL DEFAULT 0,
  stage VARCHAR(40) CHARACTER SET ascii NULL,
  cancel_requested TINYINT(1) NOT NULL DEFAULT 0,
  error_code VARCHAR(40) CHARACTER SET ascii NULL,
  error_detail VARCHAR(300) NULL,
  request_id VARCHAR(64) CHARACTER SET ascii NOT NULL,
  created_at DATETIME(3) NOT NULL,
  started_at DATETIME(3) NULL,
  finished_at DATETIME(3) NULL,
  KEY jobs_ready (state, priority, due_at, id),
  KEY jobs_lease (state, lease_until),
  KEY jobs_lease_id (lease_id),
  KEY jobs_subject (subject_id),
  KEY jobs_finished (finished_at)
) CHARACTER SET utf8mb4;

CREATE TABLE workers (
  id VARCHAR(100) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  slots INT NOT NULL,
  started_at DATETIME(3) NOT NULL,
  seen_at DATETIME(3) NOT NULL
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
DROP TABLE workers;
DROP TABLE jobs;
DROP TABLE doomed_objects;
DROP TABLE storage_owners;
DROP TABLE file_uses;
DROP TABLE files;
