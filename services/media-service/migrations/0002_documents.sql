-- migrate:up
CREATE TABLE documents (
  id CHAR(36) CHARACTER SET ascii NOT NULL PRIMARY KEY COMMENT 'that of its file',
  owner_id BIGINT NOT NULL,
  type VARCHAR(10) CHARACTER SET ascii NOT NULL COMMENT 'xlsx, pdf, image',
  state VARCHAR(10) CHARACTER SET ascii NOT NULL COMMENT 'pending, completed, failed, cancelled',
  job_id CHAR(36) CHARACTER SET ascii NOT NULL COMMENT 'the newest',
  language VARCHAR(8) CHARACTER SET ascii NULL,
  pages INT NULL,
  tables INT NULL,
  facts INT NULL,
  characters INT NULL,
  summary TEXT NULL COMMENT 'JSON',
  error_code VARCHAR(40) CHARACTER SET ascii NULL,
  error_detail VARCHAR(300) NULL,
  room_id BIGINT NULL COMMENT 'where the analysis was asked for',
  message_id VARCHAR(40) CHARACTER SET ascii NULL,
  created_at DATETIME(3) NOT NULL,
  finished_at DATETIME(3) NULL,
  KEY documents_owner (owner_id, id),
  KEY documents_owner_state (owner_id, state, finished_at),
  CONSTRAINT documents_file FOREIGN KEY (id) REFERENCES files (id) ON DELETE CASCADE
) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE socket_tickets (
  hash CHAR(43) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  user_id BIGINT NOT NULL,
  session_id CHAR(36) CHARACTER SET ascii NOT NULL,
  expires_at DATETIME(3) NOT NULL,
  KEY socket_tickets_expiry (expires_at)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- migrate:down
DROP TABLE socket_tickets;
DROP TABLE documents;
