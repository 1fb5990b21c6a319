-- migrate:up
CREATE TABLE users (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  -- In lower case. Null after the account's deletion, which makes the address available again.
  email VARCHAR(254) COLLATE utf8mb4_bin NULL,
  username VARCHAR(20) NOT NULL,
  -- The username in lower case, compared byte by byte: the only definition of uniqueness.
  username_key VARCHAR(64) COLLATE utf8mb4_bin NOT NULL,
  display_name VARCHAR(50) NOT NULL,
  status_message VARCHAR(200) NULL,
  profile_image_url VARCHAR(500) NULL,
  locale VARCHAR(5) CHARACTER SET ascii NOT NULL,
  presence_visibility VARCHAR(8) CHARACTER SET ascii NOT NULL DEFAULT 'everyone',
  findable_by_email TINYINT(1) NOT NULL DEFAULT 0,
  status VARCHAR(8) CHARACTER SET ascii NOT NULL DEFAULT 'active' COMMENT 'active, deleting, deleted',
  created_at DATETIME(3) NOT NULL,
  updated_at DATETIME(3) NOT NULL,
  last_seen_at DATETIME(3) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY users_email (email),
  UNIQUE KEY users_username_key (username_key)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE credentials (
  user_id INT UNSIGNED NOT NULL,
  password_hash CHAR(60) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  changed_at DATETIME(3) NOT NULL,
  PRIMARY KEY (user_id),
  CONSTRAINT credentials_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- A family of refresh tokens: the current one, its predecessor, and the key that authenticates older ones.
CREATE TABLE sessions (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id INT UNSIGNED NOT NULL,
  device VARCHAR(100) NOT NULL,
  ip_prefix VARCHAR(50) CHARACTER SET ascii NOT NULL,
  created_at DATETIME(3) NOT NULL,
  last_seen_at DATETIME(3) NOT NULL,
  expires_at DATETIME(3) NOT NULL,
  family_key BINARY(32) NOT NULL,
  current_hash BINARY(32) NOT NULL,
  previous_hash BINARY(32) NULL,
  -- The current token, encrypted with its predecessor.
  sealed_successor VARBINARY(200) NULL,
  rotated_at DATETIME(3) NOT NULL,
  ended_at DATETIME(3) NULL,
  end_reason VARCHAR(20) CHARACTER SET ascii NULL,
  PRIMARY KEY (id),
  KEY sessions_by_user (user_id, ended_at, created_at, id),
  KEY sessions_by_expiry (expires_at),
  CONSTRAINT sessions_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Search terms per user: names decomposed into jamo, and their initial consonants.
CREATE TABLE user_search_terms (
  term VARCHAR(40) COLLATE utf8mb4_bin NOT NULL,
  user_id INT UNSIGNED NOT NULL,
  PRIMARY KEY (term, user_id),
  KEY user_search_terms_by_user (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

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

-- migrate:down
DROP TABLE outbox;
DROP TABLE user_search_terms;
DROP TABLE sessions;
DROP TABLE credentials;
DROP TABLE users;
