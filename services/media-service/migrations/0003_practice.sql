-- migrate:up
CREATE TABLE actors (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(50) NOT NULL,
  UNIQUE KEY actors_name (name)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE scripts (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  -- Identifies the script in the seed, so that seeding again updates the script instead of adding another.
  slug VARCHAR(50) CHARACTER SET ascii NOT NULL,
  title VARCHAR(100) NOT NULL,
  description VARCHAR(300) NOT NULL,
  language VARCHAR(5) CHARACTER SET ascii NOT NULL,
  practice_count INT UNSIGNED NOT NULL DEFAULT 0,
  created_at DATETIME(3) NOT NULL,
  UNIQUE KEY scripts_slug (slug),
  KEY scripts_popular (practice_count, id)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE script_tokens (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  script_id INT UNSIGNED NOT NULL,
  position INT NOT NULL,
  actor_id INT UNSIGNED NOT NULL,
  text VARCHAR(500) NOT NULL,
  start_ms INT NOT NULL COMMENT 'from the beginning of the script',
  end_ms INT NOT NULL,
  clip_key VARCHAR(200) CHARACTER SET ascii NOT NULL,
  UNIQUE KEY script_tokens_position (script_id, position),
  CONSTRAINT script_tokens_script FOREIGN KEY (script_id) REFERENCES scripts (id),
  CONSTRAINT script_tokens_actor FOREIGN KEY (actor_id) REFERENCES actors (id)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- A recording of a token and its analysis. The id is the public job id.
CREATE TABLE takes (
  id CHAR(36) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  token_id INT UNSIGNED NOT NULL,
  owner_id BIGINT NOT NULL,
  state VARCHAR(10) CHARACTER SET ascii NOT NULL COMMENT 'queued, running, analyzing, succeeded, failed',
  -- Raised by every change; progress streams compare it.
  version INT NOT NULL DEFAULT 1,
  object_key VARCHAR(200) CHARACTER SET ascii NOT NULL,
  mime VARCHAR(40) CHARACTER SET ascii NOT NULL,
  size_bytes BIGINT NOT NULL,
  -- The attempt that the analysis server is working on; reports of other attempts are rejected.
  analysis_id CHAR(36) CHARACTER SET ascii NULL,
  sends INT NOT NULL DEFAULT 0,
  deadline_at DATETIME(3) NULL,
  pronunciation DECIMAL(4,1) NULL,
  intonation DECIMAL(4,1) NULL,
  emotion DECIMAL(4,1) NULL,
  overall DECIMAL(4,1) NULL,
  feedback MEDIUMTEXT NULL COMMENT 'JSON',
  error_code VARCHAR(40) CHARACTER SET ascii NULL,
  error_detail VARCHAR(300) NULL,
  request_id VARCHAR(64) CHARACTER SET ascii NOT NULL,
  created_at DATETIME(3) NOT NULL,
  finished_at DATETIME(3) NULL,
  KEY takes_owner_token (owner_id, token_id, finished_at),
  KEY takes_owner_state (owner_id, state),
  KEY takes_deadline (state, deadline_at),
  CONSTRAINT takes_token FOREIGN KEY (token_id) REFERENCES script_tokens (id)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE bookmarks (
  owner_id BIGINT NOT NULL,
  token_id INT UNSIGNED NOT NULL,
  created_at DATETIME(3) NOT NULL,
  PRIMARY KEY (owner_id, token_id),
  KEY bookmarks_newest (owner_id, created_at, token_id),
  CONSTRAINT bookmarks_token FOREIGN KEY (token_id) REFERENCES script_tokens (id)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- migrate:down
DROP TABLE bookmarks;
DROP TABLE takes;
DROP TABLE script_tokens;
DROP TABLE scripts;
DROP TABLE actors;
