-- migrate:up
-- Users whom moderators have muted, fed by UserModerated.
CREATE TABLE muted_users (
  user_id BIGINT UNSIGNED NOT NULL,
  muted_until DATETIME(3) NULL COMMENT 'Null: lifted',
  decision_id BIGINT UNSIGNED NOT NULL COMMENT 'What an event with a lower one says is over',
  PRIMARY KEY (user_id),
  KEY muted_users_by_end (muted_until)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- migrate:down
DROP TABLE muted_users;
