-- migrate:up
CREATE TABLE account_deletions (
  -- Random, because the id alone grants reading the progress of the deletion.
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id INT UNSIGNED NOT NULL,
  message_policy VARCHAR(6) CHARACTER SET ascii NOT NULL,
  state VARCHAR(9) CHARACTER SET ascii NOT NULL COMMENT 'running, completed',
  requested_at DATETIME(3) NOT NULL,
  announced_at DATETIME(3) NOT NULL,
  completed_at DATETIME(3) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY account_deletions_user (user_id),
  KEY account_deletions_by_state (state, requested_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE account_deletion_steps (
  deletion_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  step VARCHAR(20) CHARACTER SET ascii NOT NULL,
  done_at DATETIME(3) NULL,
  PRIMARY KEY (deletion_id, step),
  CONSTRAINT account_deletion_steps_deletion FOREIGN KEY (deletion_id) REFERENCES account_deletions (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- migrate:down
DROP TABLE account_deletion_steps;
DROP TABLE account_deletions;
