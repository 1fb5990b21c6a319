-- migrate:up
CREATE TABLE reports (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  reporter_id INT UNSIGNED NOT NULL,
  target_id INT UNSIGNED NOT NULL,
  room_id BIGINT UNSIGNED NULL,
  -- Null in a report about a user.
  message_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  reason VARCHAR(16) CHARACTER SET ascii NOT NULL,
  comment VARCHAR(1000) NULL,
  context JSON NOT NULL COMMENT 'Copies of messages, as the reporter saw them',
  created_at DATETIME(3) NOT NULL,
  closed_at DATETIME(3) NULL,
  -- Reporter and subject while the report is open, so that a repeated report is the same one.
  open_key VARCHAR(70) CHARACTER SET ascii COLLATE ascii_bin NULL,
  PRIMARY KEY (id),
  UNIQUE KEY reports_open (open_key),
  KEY reports_by_state (closed_at, id),
  KEY reports_by_target (target_id, closed_at),
  KEY reports_by_reporter (reporter_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Append-only: the log of decisions.
CREATE TABLE moderation_decisions (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  report_id INT UNSIGNED NOT NULL,
  user_id INT UNSIGNED NOT NULL,
  moderator_id INT UNSIGNED NOT NULL,
  action VARCHAR(8) CHARACTER SET ascii NOT NULL COMMENT 'dismiss, warn, mute, suspend, lift',
  note VARCHAR(1000) NULL,
  message VARCHAR(500) NULL,
  until DATETIME(3) NULL,
  created_at DATETIME(3) NOT NULL,
  acknowledged_at DATETIME(3) NULL,
  PRIMARY KEY (id),
  KEY moderation_decisions_by_user (user_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The restrictions of a user that result from the decisions.
CREATE TABLE user_restrictions (
  user_id INT UNSIGNED NOT NULL,
  decision_id INT UNSIGNED NOT NULL,
  muted_until DATETIME(3) NULL,
  suspended_until DATETIME(3) NULL,
  message VARCHAR(500) NULL COMMENT 'Why, as the user is told',
  PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- migrate:down
DROP TABLE user_restrictions;
DROP TABLE moderation_decisions;
DROP TABLE reports;
