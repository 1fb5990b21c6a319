-- migrate:up
-- Local copies, fed by friend.events, so that visibility is known while friend-service is down.
CREATE TABLE friendships (
  low INT UNSIGNED NOT NULL,
  high INT UNSIGNED NOT NULL,
  PRIMARY KEY (low, high),
  KEY friendships_by_high (high, low)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE blocks (
  blocker_id INT UNSIGNED NOT NULL,
  blocked_id INT UNSIGNED NOT NULL,
  PRIMARY KEY (blocker_id, blocked_id),
  KEY blocks_by_blocked (blocked_id, blocker_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE inbox (
  consumer VARCHAR(64) CHARACTER SET ascii NOT NULL,
  event_id CHAR(36) CHARACTER SET ascii NOT NULL,
  processed_at DATETIME(3) NOT NULL,
  PRIMARY KEY (consumer, event_id),
  KEY inbox_processed_at (processed_at)
) CHARACTER SET utf8mb4;

-- migrate:down
DROP TABLE inbox;
DROP TABLE blocks;
DROP TABLE friendships;
